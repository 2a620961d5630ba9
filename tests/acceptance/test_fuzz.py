"""Messages that are broken in every way: each ends, and the worker goes on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

from tests.support.cluster import Cluster, wait_until
from tests.support.fuzzing import CONVERSATION, fuzzed
from tests.support.stamping import OPTIONS, message, stamps
from workers.app import WorkersApp, queues
from workers.limits.priority import lists
from workers.limits.rates import DEFAULT_QUEUE

SEED = 21
#: `tests/soak` sends 10,000.
MESSAGES = 2_000
HUGE = 6

#: A good message follows so many that are none.
BETWEEN = 100
BATCH = 250


def test_each_fuzzed_message_is_a_dead_letter_or_an_outcome(
    cluster: Cluster, app: WorkersApp
) -> None:
    fuzz(cluster, app, messages=MESSAGES, huge=HUGE)


def fuzz(cluster: Cluster, app: WorkersApp, *, messages: int, huge: int) -> None:
    """Send so many fuzzed messages, `huge` of them large, and see how each has ended."""
    cluster.sandbox.put("conversations", CONVERSATION, {"participants": [{}]})
    good = messages // BETWEEN
    with cluster.worker(*OPTIONS, "-c", "8") as worker:
        put_all(cluster, fuzzed(random.Random(SEED), messages, huge))

        def all_ended() -> bool:
            assert worker.process.poll() is None, worker.said()[-2_000:]
            return cluster.is_quiet() and len(stamps(cluster.redis)) == good

        wait_until(all_ended, 300, "every message has ended", pause=0.1)
    records = [each for tenant in cluster.tenants() for each in app.services.audit.records(tenant)]
    ended = Counter(each["status"] for each in records)
    well = ended["done"] + ended["noop"]
    assert well > 0
    assert well + app.services.dead_letters.count() == messages
    assert ended.total() == messages
    assert list(cluster.redis.scan_iter("gw:message:*")) == []


def put_all(cluster: Cluster, broken: Iterable[bytes]) -> None:
    """Put the messages into lists of every queue and priority, good ones in between."""
    rng = random.Random(SEED)
    names = [queue.name for queue in queues(cluster.tenants())]
    served = [name for name in names if name != DEFAULT_QUEUE]
    pipeline = cluster.redis.pipeline(transaction=False)
    for number, each in enumerate(broken, 1):
        pipeline.lpush(rng.choice(lists(rng.choice(names))), each)
        if number % BETWEEN == 0:
            pipeline.lpush(rng.choice(served), message(f"good-{number}"))
        if number % BATCH == 0:
            pipeline.execute()
    pipeline.execute()
