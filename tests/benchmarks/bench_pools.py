"""Threads or processes: attributes set per second, and per megabyte, by one worker.

    python -m tests.benchmarks.bench_pools --seconds 3 --latency 0 0.02 0.05

The work is waiting for HTTP, three calls a message, each delayed by the API's assumed latency.
Memory is that of the worker and its processes, shared pages shared out (PSS).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks import bench_sandbox, memory, prepared, sides
from tests.support.redis import redis_server
from tests.support.waiting import wait_until
from workers.sandbox.testing import SandboxHandle

POOLS = [("threads", slots) for slots in (8, 16, 32)] + [
    ("processes", slots) for slots in (2, 4, 8)
]

#: Messages, each for another conversation, that no measurement gets to the end of.
CONVERSATIONS = 1_000
MESSAGES = 20_000

#: Seconds for caches and connections to warm up.
WARM_UP = 1.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Messages a second by API latency, and bytes of memory at the end."""

    pool: str
    slots: int
    rates: Mapping[float, float]
    memory: int


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all measurements share: where things are, and the messages."""

    redis: Redis
    url: str
    sandbox: SandboxHandle
    queued: Sequence[bytes]
    seconds: float
    latencies: Sequence[float]

    def measure(self, pool: str, slots: int) -> Measured:
        """Start a worker and let it work at each latency."""
        self.redis.flushall()
        variables = sides.unlimited(self.url, self.sandbox.url)
        with sides.worker("claiming", variables, pool, slots) as pid:
            sides.wait_until_ready(self.url, 1)
            rates = {latency: self._rate(latency) for latency in self.latencies}
            return Measured(pool=pool, slots=slots, rates=rates, memory=memory.held(pid))

    def _rate(self, latency: float) -> float:
        self.sandbox.clear_faults()
        self.sandbox.fault(system="genesys", kind="latency", seconds=latency, times=None)
        prepared.push(self.redis, "attributes", self.queued)
        time.sleep(WARM_UP)
        before, begun = self._ended(), time.perf_counter()
        time.sleep(self.seconds)
        rate = (self._ended() - before) / (time.perf_counter() - begun)
        assert self.redis.delete("attributes"), "the queue ran empty: the rate is too low"
        wait_until(lambda: not self.redis.exists("gw:leases"), 30, "what was begun has ended")
        return rate

    def _ended(self) -> int:
        return int(self.redis.xlen("gw:audit:default"))


def conversations(sandbox: SandboxHandle) -> list[str]:
    """Add conversations that go on, and return their ids."""
    pattern = sandbox.get("conversations", sandbox.ids("conversations", state="active")[0])
    added = {}
    for number in range(CONVERSATIONS):
        own = f"bench-{number}"
        people = [
            {**each, "id": f"{own}-{place}"} for place, each in enumerate(pattern["participants"])
        ]
        added[own] = {**pattern, "id": own, "participants": people}
    sandbox.put_many("conversations", added)
    return list(added)


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
            for each in conversations(sandbox)
        ]
        bench = Bench(
            redis=redis,
            url=url,
            sandbox=sandbox,
            queued=list(prepared.messages(redis, url, "set_attributes", arguments, MESSAGES)),
            seconds=asked.seconds,
            latencies=asked.latency,
        )
        Console().print(table([bench.measure(pool, slots) for pool, slots in POOLS]))


if __name__ == "__main__":
    main()
