"""What ledger, locks and audit record cost: attributes set per second with and without them.

    python -m tests.benchmarks.bench_overhead --pairs 5 --seconds 4

One worker of 8 threads, against the HTTP sandbox without added latency. Both sides take the same
messages from the same queue, with the same claims, budgets, tokens and calls; `bare_app` is the one
without. They run in turn, in pairs. A message counts once the sandbox has seen its write.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks import bench_pools, bench_sandbox, memory, prepared, sides
from tests.support import worker_process
from tests.support.redis import redis_server
from workers.sandbox.testing import SandboxHandle

APPS = {"with": "workers.app", "without": "tests.benchmarks.bare_app"}

#: The share of the bare throughput that is left, at least.
KEPT = 0.75

#: Messages, each of which changes a value, that no round gets to the end of.
MESSAGES = 20_000

#: Seconds for caches and connections to warm up.
WARM_UP = 1.5

#: Seconds that a worker has to end.
STOP_SECONDS = 30

TICKS = os.sysconf("SC_CLK_TCK")


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
class Bench:
    """What all rounds share: where things are, and the messages."""

    redis: Redis
    url: str
    sandbox: SandboxHandle
    queued: Sequence[bytes]
    seconds: float

    def pair(self, number: int) -> Pair:
        """Measure the side without and the one with, each first in every second pair."""
        order = list(APPS) if number % 2 else reversed(APPS)
        costs = {side: self.measure(side) for side in order}
        return costs["without"], costs["with"]

    def measure(self, side: str) -> Cost:
        """Let a fresh worker work for a while, on conversations as they were at first."""
        self.redis.flushall()
        self.sandbox.reset()
        bench_pools.conversations(self.sandbox)
        with worker(APPS[side], sides.unlimited(self.url, self.sandbox.url)) as pid:
            sides.wait_until_ready(self.url, 1)
            prepared.push(self.redis, "attributes", self.queued)
            time.sleep(WARM_UP)
            before = self._seen(pid)
            time.sleep(self.seconds)
            after = self._seen(pid)
            assert self.redis.delete("attributes"), "the queue ran empty: the rate is too low"
        assert self.redis.exists("gw:audit:default") == (side == "with")
        return cost(before, after)

    def _seen(self, pid: int) -> Seen:
        used: Any = self.redis.info("cpu")
        return Seen(
            at=time.perf_counter(),
            writes=sum(self.sandbox.summary()["effects"].values()),
            worker=sum(_ticks(each) for each in memory.tree(pid)) / TICKS,
            redis=used["used_cpu_sys"] + used["used_cpu_user"],
        )


@contextmanager
def worker(app: str, variables: Mapping[str, str]) -> Iterator[int]:
    """Run a worker of `app` with 8 threads until the block ends, and give its process id."""
    command = worker_process.command("-c", "8", "--without-mingle", app=app)
    quiet = {"LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    environment = {**os.environ, **variables, **quiet}
    with subprocess.Popen(
        command, cwd=sides.ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _ticks(pid: int) -> int:
    """Return a process's processor time; its name, which may hold blanks, ends with a bracket."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


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
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as url,
        Redis.from_url(url) as redis,
        bench_sandbox.sandbox() as sandbox_url,
    ):
        sandbox = SandboxHandle(sandbox_url)
        arguments = [
            {"conversation_id": each, "attributes": {"bench": str(turn)}}
            for turn in range(2)
            for each in bench_pools.conversations(sandbox)
        ]
        bench = Bench(
            redis=redis,
            url=url,
            sandbox=sandbox,
            queued=list(prepared.messages(redis, url, "set_attributes", arguments, MESSAGES)),
            seconds=asked.seconds,
        )
        pairs = [bench.pair(number) for number in range(asked.pairs)]
        Console().print(table(pairs))


if __name__ == "__main__":
    main()
