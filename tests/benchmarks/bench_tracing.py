"""What tracing costs: what the seam takes where it is off, and attributes set per second with it.

    python -m tests.benchmarks.bench_tracing --pairs 5 --seconds 4

The seam is timed by itself, as an operation of three calls goes through it. The rest is one worker
of 8 threads, against the HTTP sandbox without added latency: all that it does is traced and sent to
a collector that forgets it, or nothing is. The two run in turn, in pairs.
"""

from __future__ import annotations

import argparse
import os
import timeit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from tasks.apis.calls import Call, CallLog
from tests.benchmarks import bench_overhead, updates
from tests.benchmarks.bench_overhead import Cost, Pair
from tests.benchmarks.place import place
from tests.support.guide import NoLog
from tests.support.spans import collecting
from workers.outside.calls import TracedCalls
from workers.watching.tracing import ENDPOINTS, UNTRACED, links

CALL = Call(method="GET", route="/api/v2/conversations/voice/participants", needs="nothing")
CALLS = 3
NAMES = dict.fromkeys(("message_id", "operation_id", "correlation_id", "tenant"), "0123456789")


def _calls(log: CallLog) -> None:
    for _ in range(CALLS):
        log.sending(CALL, within=1.0)
        log.answered(CALL, status=200, seconds=0.1, reference="")


def _through() -> None:
    """Do what an operation does at the seam, and its calls."""
    headers: Mapping[str, str] = {}
    with UNTRACED.attempt("set_attributes", links(headers.get), **NAMES) as span:
        span.tell(attempts=1)
        about = {"tenant": "default", "system": "genesys"}
        _calls(TracedCalls(log=NoLog(), tracer=UNTRACED, about=about))
        _ = {**UNTRACED.headers()}
        span.tell(status="done")


def _without() -> None:
    """Make the calls alone."""
    _calls(NoLog())


def seam(rounds: int = 20_000) -> float:
    """Return the microseconds that the seam takes of an operation that is not traced."""
    through, without = (
        min(timeit.repeat(work, number=rounds, repeat=7)) for work in (_through, _without)
    )
    return (through - without) / rounds * 1e6


@dataclass(frozen=True, kw_only=True)
class Bench(bench_overhead.Bench):
    """What all rounds share, and where spans are sent."""

    collector: str

    def pair(self, number: int) -> Pair:
        """Measure the side without and the one with, each first in every second pair."""
        order = (True, False)[:: 1 if number % 2 else -1]
        costs = {traced: self._measure(traced=traced) for traced in order}
        return costs[False], costs[True]

    def _measure(self, *, traced: bool) -> Cost:
        os.environ[ENDPOINTS[0]] = self.collector if traced else ""
        return self.measure("traced")


def table(pairs: Sequence[Pair]) -> Table:
    """Return every pair, and the medians of their ratios."""
    title = "attributes set per second, without and with tracing"
    shown = Table("pair", "without", "with", "ratio", "worker ms", title=title)
    for number, (bare, full) in enumerate(pairs, start=1):
        shown.add_row(
            str(number),
            f"{bare.rate:.0f}",
            f"{full.rate:.0f}",
            f"{full.rate / bare.rate:.3f}",
            f"{bare.worker:.2f} → {full.worker:.2f}",
        )
    ratio = median(full.rate / bare.rate for bare, full in pairs)
    spent = median(full.worker / bare.worker for bare, full in pairs)
    shown.add_section()
    shown.add_row("median", "", "", f"{ratio:.3f}", f"× {spent:.3f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    off = seam()
    print(f"off: {off:.2f} µs an operation")
    with place() as here, collecting() as collector:
        queued = updates.messages(here, bench_overhead.MESSAGES)
        bench = Bench(**vars(here), queued=queued, seconds=asked.seconds, collector=collector.url)
        pairs = [bench.pair(number) for number in range(asked.pairs)]
        Console().print(table(pairs))
        share = off / 1000 / median(bare.worker for bare, _ in pairs)
        print(f"off: {share:.5f} of a worker's processor time; {len(collector.names):,} spans sent")


if __name__ == "__main__":
    main()
