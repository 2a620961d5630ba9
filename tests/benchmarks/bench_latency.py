"""How soon a live message starts while 100,000 batch messages wait.

    python -m tests.benchmarks.bench_latency --backlog 100000 --seconds 20 --latency 0 0.2

`set_attributes` messages are sent one by one while one worker redacts all the time, each a little
after the one before has ended: a slow API takes no more of the worker's slots than two. Stock
Celery, in turn, carries the same messages out with the same calls and as many threads. Times are
those from sending a message to its claim and to the start of its task.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any
from uuid import uuid4

from celery import Celery
from rich.console import Console
from rich.table import Table

from tests.benchmarks import memory, prepared, sides, stamps
from tests.benchmarks.place import Place, place
from tests.benchmarks.sides import Side
from tests.support.chats import add_chats
from tests.support.waiting import wait_until
from workers.sandbox.testing import SandboxHandle

#: So many chats are redacted before one comes round that is redacted already.
CHATS = 5_000

#: Seconds between the end of a live message and the next one, and the calls that each makes.
GAP = 0.05
CALLS = 3

#: Seconds for caches and connections to warm up.
WARM_UP = 3.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Milliseconds until a message's claim and start, how many redactions a second, and memory."""

    claimed: Sequence[float]
    started: Sequence[float]
    redactions: float
    memory: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Bench(Place):
    """What all measurements share; `redactions` are the messages that wait."""

    redactions: Sequence[bytes]
    seconds: float

    def measure(self, side: Side, latency: float) -> Measured:
        """Put the backlog on its queue, start a worker, and send the live messages."""
        self.redis.flushall()
        chats(self.sandbox)
        prepared.push(self.redis, "redact", self.redactions)
        variables = sides.unlimited(self.url, self.sandbox.url)
        with sides.worker(side, variables, "threads", 8) as pid:
            sides.wait_until_ready(self.url, 1)
            time.sleep(WARM_UP)
            before, waiting, begun = memory.held(pid), self._waiting(), time.perf_counter()
            self._send(GAP + CALLS * latency)
            redacted, seconds = waiting - self._waiting(), time.perf_counter() - begun
            measured = stamps.latencies(self.redis)
            return Measured(
                claimed=[1000 * each.claimed for each in measured if each.claimed is not None],
                started=[1000 * each.started for each in measured],
                redactions=redacted / seconds,
                memory=(before, memory.held(pid)),
            )

    def _waiting(self) -> int:
        return int(self.redis.llen("redact"))

    def _send(self, interval: float) -> None:
        sent = list(updates(self.sandbox, round(self.seconds / interval)))
        with Celery("producer", broker=self.url, set_as_current=False) as producer:
            for update in sent:
                headers = {stamps.SENT: time.time()}
                producer.send_task(
                    "set_attributes", kwargs=update, queue="attributes", headers=headers
                )
                time.sleep(interval)
        wait_until(lambda: self.redis.llen(stamps.KEY) == len(sent), 60, "all have started")


def chats(sandbox: SandboxHandle) -> list[str]:
    """Put chats into the sandbox as they were before they were redacted, and return their ids."""
    return sorted(add_chats(sandbox, CHATS, first=datetime(2025, 1, 1, tzinfo=UTC)))


def updates(sandbox: SandboxHandle, count: int) -> Iterator[dict[str, Any]]:
    """Yield the arguments of `count` messages for conversations that go on."""
    conversations = sandbox.ids("conversations", state="active")
    for number in range(count):
        conversation = conversations[number % len(conversations)]
        yield {"conversation_id": conversation, "attributes": {"bench": str(uuid4())}}


def table(rounds: Sequence[tuple[float, Measured, Measured]]) -> Table:
    """Return both sides for each API latency, and the ratios of their starts."""
    title = "ms until live messages behind a backlog of redactions are claimed, and start"
    shown = Table("API ms", "worker", title=title)
    for column in ("claim p50", "p99", "start p50", "p99", "redacted/s", "MB"):
        shown.add_column(column, justify="right")
    for latency, ours, stock in rounds:
        shown.add_row(f"{latency * 1000:.0f}", "ours", *_cells(ours))
        shown.add_row("", "stock", *_cells(stock))
        pairs = zip(_cuts(stock.started), _cuts(ours.started), strict=True)
        shown.add_row("", "ratio", "", "", *(f"{theirs / own:.1f}" for theirs, own in pairs))
        shown.add_section()
    return shown


def _cells(measured: Measured) -> list[str]:
    claimed = [f"{cut:.1f}" for cut in _cuts(measured.claimed)] if measured.claimed else ["", ""]
    started = [f"{cut:.1f}" for cut in _cuts(measured.started)]
    held = " → ".join(f"{each / 1e6:.0f}" for each in measured.memory)
    return [*claimed, *started, f"{measured.redactions:.0f}", held]


def _cuts(milliseconds: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(milliseconds, n=100)
    return cuts[49], cuts[98]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.2])
    asked = parser.parse_args()
    with place() as here:
        arguments = [{"interaction_id": chat} for chat in chats(here.sandbox)]
        redactions = prepared.messages(
            here.redis, here.url, "redact_interaction", arguments, asked.backlog
        )
        bench = Bench(**vars(here), redactions=list(redactions), seconds=asked.seconds)
        rounds = []
        for latency in asked.latency:
            here.sandbox.clear_faults()
            here.sandbox.fault(system="genesys", kind="latency", seconds=latency, times=None)
            own, stock = bench.measure("claiming", latency), bench.measure("stock", latency)
            rounds.append((latency, own, stock))
        Console().print(table(rounds))


if __name__ == "__main__":
    main()
