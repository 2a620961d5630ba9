"""What workers cost that have nothing to do: processor time of Redis and of each worker.

    python -m tests.benchmarks.bench_idle --tenants 1 20 --workers 1 10 --settle 20 --seconds 20

Stock Celery waits in `BRPOP` and is woken; ours asks Redis again and again, less often the more
workers have nothing to do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks import processor, sides
from tests.benchmarks.sides import Side
from tests.support.redis import redis_server
from tests.support.tenants import CLIENTS, tenants_file

#: A tenant that nobody asks anything of.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of processor time since the start, of Redis and of all workers, and questions."""

    redis: float
    workers: float
    questions: int


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Shares of one processor, the worker's own being that of each, and questions a second."""

    redis: float
    worker: float
    questions: float


def measure(
    redis: Redis, side: Side, variables: dict[str, str], workers: int, settle: float, seconds: float
) -> Idle:
    """Start so many workers, let them settle, and return what they cost."""
    redis.flushall()
    with ExitStack() as stack:
        pids = [
            stack.enter_context(sides.worker(side, variables, "threads", 8, f"idle-{number}"))
            for number in range(workers)
        ]
        sides.wait_until_ready(variables["REDIS_URL"], workers)
        time.sleep(settle)
        before, begun = _spent(redis, pids), time.perf_counter()
        time.sleep(seconds)
        after, passed = _spent(redis, pids), time.perf_counter() - begun
    return Idle(
        redis=(after.redis - before.redis) / passed,
        worker=(after.workers - before.workers) / passed / workers,
        questions=(after.questions - before.questions) / passed,
    )


def _spent(redis: Redis, pids: Sequence[int]) -> Spent:
    commands: Any = redis.info("commandstats")
    return Spent(
        redis=processor.of_server(redis),
        workers=sum(map(processor.of_worker, pids)),
        questions=sum(
            commands.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "brpop")
        ),
    )


def environment(url: str, folder: Path, tenants: int) -> dict[str, str]:
    """Return the settings of a worker for so many tenants."""
    client_id, secret, *_ = CLIENTS["default"]
    table = {
        "api": "guide",
        "api_url": NOWHERE,
        "login_url": NOWHERE,
        "client_id": client_id,
        "client_secret": secret,
    }
    named = {f"tenant{number}": table for number in range(1, tenants)}
    return {**sides.unlimited(url), "TENANTS_FILE": tenants_file(folder, default=table, **named)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, nargs="*", default=[1, 20])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--settle", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    shown = Table("tenants", "workers", "side", title="idle: shares of one processor")
    for column in ("Redis", "each worker", "questions/s"):
        shown.add_column(column, justify="right")
    with (
        tempfile.TemporaryDirectory() as name,
        redis_server(Path(name)) as url,
        Redis.from_url(url) as redis,
    ):
        cases: list[tuple[int, int, Side]] = [
            (tenants, workers, side)
            for tenants in asked.tenants
            for workers in asked.workers
            for side in ("claiming", "stock")
        ]
        for tenants, workers, side in cases:
            variables = environment(url, Path(name), tenants)
            cost = measure(redis, side, variables, workers, asked.settle, asked.seconds)
            shares = (f"{cost.redis:.1%}", f"{cost.worker:.1%}", f"{cost.questions:.0f}")
            shown.add_row(str(tenants), str(workers), side, *shares)
    Console().print(shown)


if __name__ == "__main__":
    main()
