"""Messages that do nothing, drained: this project's transport against stock Celery's.

    python -m tests.benchmarks.bench_drain --messages 5000 --pairs 7 --pools processes threads

Both sides read the same queues with the same settings (late acknowledgement, events on, as many
messages held as there are slots) and take the same bytes; ours also checks rate and budgets of the
queue. They run in turn, on one Redis. A drain begins when the first message has left the queue and
ends when the last one is acknowledged, so the start of the worker does not count.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks import prepared, sides
from tests.benchmarks.sides import Side
from tests.support.redis import redis_server
from tests.support.waiting import wait_until

#: A queue of a real operation, with its rate and its budget, both out of reach.
QUEUE = "attributes"

#: Seconds between two looks at the queue.
LOOK = 0.005

Pair = tuple[float, float]


def drain(redis: Redis, side: Side, url: str, pool: str, slots: int, queued: list[bytes]) -> float:
    """Drain `queued` with a fresh worker; return messages per second."""
    redis.flushall()
    prepared.push(redis, QUEUE, queued)
    with sides.worker(side, sides.unlimited(url), pool, slots):
        begun = _when(lambda: redis.llen(QUEUE) != len(queued), "the first has left the queue")
        ended = _when(lambda: not sides.left(redis, side, QUEUE), "the last one has ended")
    return len(queued) / (ended - begun)


def _when(holds: Callable[[], bool], what: str) -> float:
    wait_until(holds, 300, what, pause=LOOK)
    return time.perf_counter()


def table(pool: str, slots: int, pairs: Sequence[Pair]) -> Table:
    """Return every pair, and the median of their ratios."""
    shown = Table("pair", "stock", "ours", "ratio", title=f"drained per second, {pool} × {slots}")
    for number, (stock, ours) in enumerate(pairs, start=1):
        shown.add_row(str(number), f"{stock:,.0f}", f"{ours:,.0f}", f"{ours / stock:.2f}")
    stocks, own = zip(*pairs, strict=True)
    ratio = median(ours / stock for stock, ours in pairs)
    shown.add_section()
    shown.add_row("median", f"{median(stocks):,.0f}", f"{median(own):,.0f}", f"{ratio:.2f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--pools", nargs="*", default=["processes", "threads"])
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as url,
        Redis.from_url(url) as redis,
    ):
        queued = list(prepared.messages(redis, url, "noop", [{}], asked.messages))
        for pool in asked.pools:
            pairs = []
            for _ in range(asked.pairs):
                stock = drain(redis, "stock", url, pool, asked.slots, queued)
                pairs.append((stock, drain(redis, "claiming", url, pool, asked.slots, queued)))
            Console().print(table(pool, asked.slots, pairs))


if __name__ == "__main__":
    main()
