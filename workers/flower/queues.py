"""What queues hold, in the terms of Flower's page about the broker.

Flower itself counts Redis lists, and would see neither what is delayed nor what workers hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workers.limits.priority import lists
from workers.transport.claims import delayed, message_key
from workers.watching.roster import ALIVE, WORKERS
from workers.watching.status import LEASES

#: A count, None where this user of Redis may not know it.
Count = int | None


def rows(redis: Any, names: Sequence[str], lease: float) -> list[dict[str, Any]]:
    """Return a row for each queue; `lease` is how long a worker counts as alive, in seconds.

    `messages` are all of them: those that are `ready`, those that are `unacknowledged`, which
    workers hold, and those that are `delayed`. A message that moves while this looks may be missed.
    """
    seconds, microseconds = redis.time()
    now = seconds * 1000 + microseconds // 1000
    each = len(lists("")) + 2
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            for key in lists(name):
                pipeline.llen(key)
            pipeline.zcount(delayed(name), "-inf", now)
            pipeline.zcount(delayed(name), f"({now}", "+inf")
        pipeline.sort(LEASES, by="nosort", get=[f"{message_key('*')}->queue"])
        pipeline.hgetall(WORKERS)
        pipeline.zrangebyscore(ALIVE, now - lease * 1000, "+inf")
        # Each answer may be a refusal: a user of Redis for Flower has few rights.
        *counts, leased, about, alive = pipeline.execute(raise_on_error=False)
    held, readers = _held(leased), _readers(about, alive)
    return [
        _row(name, counts[at * each : (at + 1) * each], held, readers)
        for at, name in enumerate(names)
    ]


def _row(
    name: str,
    counts: Sequence[Any],
    held: Mapping[str, int] | None,
    readers: Mapping[str, int] | None,
) -> dict[str, Any]:
    ready, later = _sum(counts[:-1]), _sum(counts[-1:])
    leased = None if held is None else held.get(name, 0)
    known = [count for count in (ready, later, leased) if count is not None]
    return {
        "name": name,
        "messages": sum(known) if known else None,
        "messages_ready": ready,
        "messages_unacknowledged": leased,
        "messages_delayed": later,
        "consumers": None if readers is None else readers.get(name, 0),
    }


def _sum(counts: Iterable[Any]) -> Count:
    found = list(counts)
    return None if any(isinstance(each, Exception) for each in found) else sum(found)


def _held(leased: Any) -> Mapping[str, int] | None:
    """Return how many messages of each queue workers hold."""
    if isinstance(leased, Exception):
        return None
    return Counter((queue or b"").decode() for queue in leased)


def _readers(about: Any, alive: Any) -> Mapping[str, int] | None:
    """Return how many living workers read each queue."""
    if isinstance(about, Exception) or isinstance(alive, Exception):
        return None
    living = [json.loads(about[worker]) for worker in alive if worker in about]
    return Counter(queue for each in living for queue in each.get("queues", ()))
