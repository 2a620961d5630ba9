"""What metrics cost: attributes set per second with and without them.

    python -m tests.benchmarks.bench_metrics --pairs 5 --seconds 4 --pools threads processes

One worker of 8 threads, or 8 processes, against the HTTP sandbox without added latency. The side
with metrics counts everything and is scraped once a second, fifteen times as often as usual; the
other one counts nothing. All else is the same. They run in turn, in pairs.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import requests
from rich.console import Console
from rich.table import Table

from tests.benchmarks import bench_overhead, updates
from tests.benchmarks.bench_overhead import Cost, Pair
from tests.benchmarks.place import place
from tests.benchmarks.sides import Side
from workers.embedded.loopback import HOST, free_port

#: Seconds between two scrapes.
EVERY = 1.0


@dataclass(frozen=True, kw_only=True)
class Bench(bench_overhead.Bench):
    """What all rounds share, and the bytes of each scrape."""

    address: str
    scraped: list[int] = field(default_factory=list)

    def pair(self, number: int) -> Pair:
        """Measure the side without and the one with, each first in every second pair."""
        sides: tuple[Side, Side] = ("counted", "uncounted")
        costs = {side: self.measure(side) for side in sides[:: 1 if number % 2 else -1]}
        return costs["uncounted"], costs["counted"]

    @contextmanager
    def scraping(self) -> Iterator[None]:
        """Scrape whoever shows metrics, until the block ends."""
        over = threading.Event()
        thread = threading.Thread(target=self._scrape, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _scrape(self, over: threading.Event) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not over.wait(EVERY):
                try:
                    answer = session.get(f"http://{self.address}/metrics", timeout=5)
                except requests.RequestException:
                    continue  # the side without, or between two workers
                self.scraped.append(len(answer.content))


def table(pool: str, pairs: Sequence[Pair]) -> Table:
    """Return every pair, and the median of their ratios."""
    title = f"attributes set per second, without and with metrics, {pool} × 8"
    shown = Table("pair", "without", "with", "ratio", "worker ms", title=title)
    for number, (bare, full) in enumerate(pairs, start=1):
        shown.add_row(str(number), *_cells(bare, full))
    ratio = median(full.rate / bare.rate for bare, full in pairs)
    spent = median(full.worker / bare.worker for bare, full in pairs)
    shown.add_section()
    shown.add_row("median", "", "", f"{ratio:.3f}", f"× {spent:.3f}")
    return shown


def _cells(bare: Cost, full: Cost) -> list[str]:
    return [
        f"{bare.rate:.0f}",
        f"{full.rate:.0f}",
        f"{full.rate / bare.rate:.3f}",
        f"{bare.worker:.2f} → {full.worker:.2f}",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--pools", nargs="*", default=["threads", "processes"])
    asked = parser.parse_args()
    address = os.environ["METRICS_ADDRESS"] = f"{HOST}:{free_port()}"
    with place() as here:
        queued = updates.messages(here, bench_overhead.MESSAGES)
        for pool in asked.pools:
            bench = Bench(
                **vars(here), queued=queued, seconds=asked.seconds, pool=pool, address=address
            )
            with bench.scraping():
                pairs = [bench.pair(number) for number in range(asked.pairs)]
            Console().print(table(pool, pairs))
            print(f"{len(bench.scraped)} scrapes of {max(bench.scraped):,} bytes at most")


if __name__ == "__main__":
    main()
