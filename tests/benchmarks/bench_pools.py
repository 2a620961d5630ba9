"""Threads or processes: attributes set per second, and per megabyte, by one worker.

    python -m tests.benchmarks.bench_pools --seconds 3 --latency 0 0.02 0.05

The work is waiting for HTTP, three calls a message, each delayed by the API's assumed latency.
Memory is that of the worker and its processes, shared pages shared out (PSS).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks import memory, prepared, sides, updates
from tests.benchmarks.place import Place, place

POOLS = [("threads", slots) for slots in (8, 16, 32)] + [
    ("processes", slots) for slots in (2, 4, 8)
]

#: Messages, each of which changes a value, that no measurement gets to the end of.
MESSAGES = 20_000

#: Seconds for caches and connections to warm up.
WARM_UP = 1.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Messages a second by API latency, and bytes of the most memory at the end of one."""

    pool: str
    slots: int
    rates: Mapping[float, float]
    memory: int


@dataclass(frozen=True, kw_only=True)
class Bench(Place):
    """What all measurements share: where things are, and the messages."""

    queued: Sequence[bytes]
    seconds: float
    latencies: Sequence[float]

    def measure(self, pool: str, slots: int) -> Measured:
        """Measure a worker at each latency, a fresh one each time."""
        rounds = {latency: self._round(pool, slots, latency) for latency in self.latencies}
        return Measured(
            pool=pool,
            slots=slots,
            rates={latency: rate for latency, (rate, _) in rounds.items()},
            memory=max(held for _, held in rounds.values()),
        )

    def _round(self, pool: str, slots: int, latency: float) -> tuple[float, int]:
        """Let it work for a while, on conversations as they were at first."""
        self.redis.flushall()
        self.sandbox.reset()
        updates.conversations(self.sandbox)
        self.sandbox.fault(system="genesys", kind="latency", seconds=latency, times=None)
        variables = sides.unlimited(self.url, self.sandbox.url)
        with sides.worker("claiming", variables, pool, slots) as pid:
            sides.wait_until_ready(self.url, 1)
            prepared.push(self.redis, "attributes", self.queued)
            time.sleep(WARM_UP)
            before, begun = self._ended(), time.perf_counter()
            time.sleep(self.seconds)
            rate = (self._ended() - before) / (time.perf_counter() - begun)
            assert self.redis.delete("attributes"), "the queue ran empty: the rate is too low"
            return rate, memory.held(pid)

    def _ended(self) -> int:
        return int(self.redis.xlen("gw:audit:default"))


def table(all_measured: Sequence[Measured]) -> Table:
    """Return messages a second for each pool, and how many of them a megabyte carries."""
    shown = Table("pool", title="attributes set per second (and per 100 MB), by API latency")
    for latency in all_measured[0].rates:
        shown.add_column(f"{latency * 1000:.0f} ms", justify="right")
    shown.add_column("MB", justify="right")
    for each in all_measured:
        megabytes = each.memory / 1e6
        rates = [f"{rate:.0f} ({100 * rate / megabytes:.0f})" for rate in each.rates.values()]
        shown.add_row(f"{each.pool} × {each.slots}", *rates, f"{megabytes:.0f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.02, 0.05])
    asked = parser.parse_args()
    with place() as here:
        queued = updates.messages(here, MESSAGES)
        bench = Bench(**vars(here), queued=queued, seconds=asked.seconds, latencies=asked.latency)
        Console().print(table([bench.measure(pool, slots) for pool, slots in POOLS]))


if __name__ == "__main__":
    main()
