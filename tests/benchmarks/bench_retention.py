"""What operations leave in Redis, how much memory it takes, and what goes when.

    python -m tests.benchmarks.bench_retention --operations 20000 --hash-max-listpack-value 64

Messages are sent, claimed and ended through the code that workers use; nothing is asked of any
outside system. Memory is what Redis says that it uses, before and after.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from redis import Redis
from rich.console import Console
from rich.table import Table

from tasks.catalogue import OPERATIONS
from tasks.errors import Rejected
from tasks.messages import MergeProfiles
from tasks.operations import Outcome
from tests.benchmarks import sides
from tests.support.redis import redis_server
from workers.app import RESULTS_SECONDS, Services, create_app
from workers.auditing.audit import CHECKPOINT, CHECKPOINTS
from workers.consuming.delivery import Delivery
from workers.remembering.ledger import Claim, fingerprint
from workers.remembering.newest import NewestInRedis
from workers.remembering.records import Run
from workers.settings import Settings
from workers.tenants import load_tenants
from workers.transport.claims import Claimed
from workers.watching import telemetry

MILLION = 1_000_000

OPERATION = next(each for each in OPERATIONS if each.message is MergeProfiles)

#: Seconds within which a change happens: what lives for so long only is not what is measured.
AT_ONCE = 0.001

#: Leaves one thing of a kind, with this number, as workers do.
Work = Callable[[Services, int], object]


@contextmanager
def begun(services: Services, number: int) -> Iterator[Run]:
    """Send a merge of two sources, and give it to be ended, as a worker has claimed it."""
    message = MergeProfiles(
        source_profile_ids=[f"guest-{number}-1", f"guest-{number}-2"],
        target_profile_id=f"profile-{number}",
    )
    name = services.producer.publish(message)
    question = services.question([message.queue])
    assert question is not None
    claimed = services.claims.claim(question)
    assert isinstance(claimed, Claimed)
    arguments = message.arguments()
    digest = fingerprint(OPERATION.task, arguments)
    locks = OPERATION.locks(message)
    claim = services.ledger.claim(
        message.tenant, name, uuid4().hex, digest, name, claimed.tag, locks
    )
    assert isinstance(claim, Claim)
    services.ledger.intend(claim, "/api/v2/identity/profiles/merge", AT_ONCE)
    delivery = Delivery(message_id=name, queue=claimed.queue, arguments=arguments, tag=claimed.tag)
    yield Run(operation=OPERATION, delivery=delivery, message=message, claim=claim)
    services.claims.settle([("end", claimed.tag, None)])


def succeed(services: Services, number: int) -> dict[str, Any]:
    """End a merge well, as a worker does, and return its result."""
    with begun(services, number) as run:
        sources = list(run.delivery.arguments["source_profile_ids"])
        target = run.delivery.arguments["target_profile_id"]
        outcome = Outcome(
            detail={"profile_id": target, "merged": sources, "linked": []},
            record={
                "target": target,
                "sources": sources,
                "policy": "target_wins",
                "consents": {"marketing": "granted", "profiling": "denied"},
                "identity_match": {"matching": 1, "sources": 2},
            },
        )
        return services.runner.records.succeeded(run, outcome)


def end_badly(services: Services, number: int) -> None:
    """End a merge as refused: its dead letter is kept."""
    error = Rejected(f"source_profile_ids: there is no profile guest-{number}-1")
    with begun(services, number) as run:
        services.runner.records.failed(run, error)


def store_result(services: Services, number: int) -> None:
    """Store what Celery keeps of a task that ended."""
    name = str(uuid4())
    result = {
        "operation_id": name,
        "status": "done",
        "tenant": "default",
        "detail": {"profile_id": f"profile-{number}", "merged": ["guest-1", "guest-2"]},
        "attempts": 1,
        "latency_ms": 137,
    }
    services.app.backend.store_result(name, result, "SUCCESS")


def remember(services: Services, number: int) -> None:
    """Remember when two attributes of a participant were written."""
    newest = NewestInRedis(
        store=services.store, tenant="default", first_at=0, keep=services.settings.ledger_seconds
    )
    newest.written(f"participant:{uuid4()}", ["tier", "vip"], datetime.now(UTC))


@contextmanager
def serving() -> Iterator[tuple[Services, Redis]]:
    """Give services that work on an empty Redis of their own."""
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name)) as url:
        nowhere: dict[str, Any] = {k.lower(): text for k, text in sides.unlimited(url).items()}
        settings = Settings(_env_file=None, **nowhere)
        services = create_app(settings, load_tenants(settings)).services
        with Redis.from_url(url) as redis:
            yield services, redis
        services.close()


def grown(redis: Redis, services: Services, work: Work, count: int) -> dict[str, float]:
    """Do the work so many times; return the bytes each has left, by family of keys and in all."""
    before, held = used(redis), families(redis)
    for number in range(count):
        work(services, number)
    after, total = families(redis), used(redis) - before
    each = {name: (size - held.get(name, 0)) / count for name, size in after.items()}
    return {**each, "in all": total / count}


def used(redis: Redis) -> int:
    """Return the bytes that Redis holds, buffers of clients left out."""
    told: Any = redis.info("memory")
    return (
        int(told["used_memory_dataset"])
        + int(told["used_memory_overhead"])
        - int(told["mem_clients_normal"])
    )


def families(redis: Redis) -> dict[str, int]:
    """Return the bytes of all keys, by what stands before the names of tenants and things."""
    sizes: dict[str, int] = {}
    with redis.pipeline(transaction=False) as pipeline:
        names: list[Any] = list(redis.scan_iter(count=1_000))
        for name in names:
            pipeline.memory_usage(name, samples=0)
        for name, size in zip(names, pipeline.execute(), strict=True):
            family = _family(name.decode())
            sizes[family] = sizes.get(family, 0) + (size or 0)
    return sizes


def _family(name: str) -> str:
    if name.startswith("celery-task-meta-"):
        return "celery-task-meta"
    return ":".join(name.split(":")[:2])


def goes(settings: Settings) -> dict[str, str]:
    """Return when what is stored under each family of keys goes."""
    days = f"after LEDGER_SECONDS, {settings.ledger_seconds / 86_400:g} days"
    return {
        "gw:operation": days,
        "gw:newest": days,
        "gw:audit": f"beyond AUDIT_RECORDS, {settings.audit_records:,} per tenant",
        "gw:audit-checkpoints": f"beyond {CHECKPOINTS:,} per tenant, one in {CHECKPOINT:,} records",
        "gw:dead-letters": "when it is replayed or discarded",
        "celery-task-meta": f"after {RESULTS_SECONDS / 86_400:g} day",
    }


WORKS: dict[str, Work] = {
    "operation that ended well": succeed,
    "operation that ended badly": end_badly,
    "result of Celery": store_result,
    "participant's newest moments": remember,
}


def shown(services: Services, redis: Redis, count: int) -> Table:
    """Measure everything."""
    table = Table("each", "keys", title=f"memory in Redis, measured over {count:,} of each")
    table.add_column("bytes", justify="right")
    table.add_column("MB per million", justify="right")
    table.add_column("goes")
    when = goes(services.settings)
    for what, work in WORKS.items():
        for family, size in sorted(grown(redis, services, work, count).items(), key=_in_all_last):
            if size >= 1:
                cells = (f"{size:,.0f}", f"{size * MILLION / 1e6:,.0f}")
                table.add_row(what, family, *cells, when.get(family, ""))
    size = _checkpoint(redis)
    table.add_row(
        "checkpoint",
        "gw:audit-checkpoints",
        f"{size:,.0f}",
        f"{size * MILLION / CHECKPOINT / 1e6:,.2f}",
        when["gw:audit-checkpoints"],
    )
    return table


def _in_all_last(family: tuple[str, float]) -> tuple[bool, str]:
    return family[0] == "in all", family[0]


def _checkpoint(redis: Redis) -> float:
    name, count = "gw:audit-checkpoints:bench", 10_000
    redis.hset(name, mapping={str(n * CHECKPOINT): uuid4().hex * 2 for n in range(count)})
    size: Any = redis.memory_usage(name, samples=0)
    return float(size) / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--hash-max-listpack-value", type=int, default=64, dest="packed")
    asked = parser.parse_args()
    telemetry.configure(level="ERROR", form="json")
    with serving() as (services, redis):
        redis.config_set("hash-max-ziplist-value", asked.packed)  # as Redis 6 names it, and 7 too
        Console().print(shown(services, redis, asked.operations))


if __name__ == "__main__":
    main()
