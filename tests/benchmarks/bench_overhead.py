"""What ledger, locks and audit record cost: attributes set per second with and without them.

    python -m tests.benchmarks.bench_overhead --pairs 5 --seconds 4

One worker of 8 threads, against the HTTP sandbox without added latency. Both sides take the same
messages from the same queue, with the same claims, budgets, tokens and calls; `bare_app` is the one
without. They run in turn, in pairs. A message counts once the sandbox has seen its write.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks import prepared, processor, sides, updates
from tests.benchmarks.place import Place, place
from tests.benchmarks.sides import Side

#: The share of the bare throughput that is left, at least.
KEPT = 0.75

#: Messages, each of which changes a value, that no round gets to the end of.
MESSAGES = 20_000

#: Seconds for caches and connections to warm up.
WARM_UP = 1.5


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Writes that the sandbox has seen, and processor seconds of the worker and of Redis."""

    at: float
    writes: int
    worker: float
    redis: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Messages a second, and processor milliseconds of each."""

    rate: float
    worker: float
    redis: float


Pair = tuple[Cost, Cost]


@dataclass(frozen=True, kw_only=True)
class Bench(Place):
    """What all rounds share: where things are, and the messages."""

    queued: Sequence[bytes]
    seconds: float
    pool: str = "threads"

    def pair(self, number: int) -> Pair:
        """Measure the side without and the one with, each first in every second pair."""
        sides_in_turn: tuple[Side, Side] = ("claiming", "bare")
        costs = {side: self.measure(side) for side in sides_in_turn[:: 1 if number % 2 else -1]}
        return costs["bare"], costs["claiming"]

    def measure(self, side: Side) -> Cost:
        """Let a fresh worker work for a while, on conversations as they were at first."""
        self.redis.flushall()
        self.sandbox.reset()
        updates.conversations(self.sandbox)
        variables = sides.unlimited(self.url, self.sandbox.url)
        with sides.worker(side, variables, self.pool, 8) as pid:
            sides.wait_until_ready(self.url, 1)
            prepared.push(self.redis, "attributes", self.queued)
            time.sleep(WARM_UP)
            before = self._seen(pid)
            time.sleep(self.seconds)
            after = self._seen(pid)
            assert self.redis.delete("attributes"), "the queue ran empty: the rate is too low"
        assert self.redis.exists("gw:audit:default") == (side != "bare")
        return cost(before, after)

    def _seen(self, pid: int) -> Seen:
        return Seen(
            at=time.perf_counter(),
            writes=sum(self.sandbox.summary()["effects"].values()),
            worker=processor.of_worker(pid),
            redis=processor.of_server(self.redis),
        )


def cost(before: Seen, after: Seen) -> Cost:
    """Return what each message between two looks has cost."""
    messages = after.writes - before.writes
    return Cost(
        rate=messages / (after.at - before.at),
        worker=1000 * (after.worker - before.worker) / messages,
        redis=1000 * (after.redis - before.redis) / messages,
    )


def table(pairs: Sequence[Pair]) -> Table:
    """Return every pair, the medians, and that of the ratios."""
    columns = ("without", "with", "ratio", "worker ms", "Redis ms")
    title = "attributes set per second, without and with ledger, locks and audit record"
    shown = Table("pair", *columns, title=title, caption=f"the ratio is to be {KEPT} at least")
    for number, (bare, full) in enumerate(pairs, start=1):
        shown.add_row(str(number), *_cells(bare, full, full.rate / bare.rate))
    bares, fulls = zip(*pairs, strict=True)
    ratio = median(full.rate / bare.rate for bare, full in pairs)
    shown.add_section()
    shown.add_row("median", *_cells(_median(bares), _median(fulls), ratio))
    return shown


def _cells(bare: Cost, full: Cost, ratio: float) -> list[str]:
    return [
        f"{bare.rate:.0f}",
        f"{full.rate:.0f}",
        f"{ratio:.2f}",
        f"{bare.worker:.2f} → {full.worker:.2f}",
        f"{bare.redis:.2f} → {full.redis:.2f}",
    ]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        rate=median(each.rate for each in costs),
        worker=median(each.worker for each in costs),
        redis=median(each.redis for each in costs),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    with place() as here:
        queued = updates.messages(here, MESSAGES)
        bench = Bench(**vars(here), queued=queued, seconds=asked.seconds)
        pairs = [bench.pair(number) for number in range(asked.pairs)]
        Console().print(table(pairs))


if __name__ == "__main__":
    main()
