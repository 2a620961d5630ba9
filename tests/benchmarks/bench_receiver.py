"""How many events a second the bridge's receiver takes on one core, and at what price.

    python -m tests.benchmarks.bench_receiver --seconds 5 --connections 50

The receiver is a process of its own on one core, with everything that is behind it in a bridge:
parser, rules, publisher, and a real Redis. Redis and the load share another core. Each side is
measured in every round: events that all become messages, events that have come before, events
that no rule is for, and a bare aiohttp server that reads the body and answers, which is what can be
had at all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks.sides import ROOT, unlimited
from tests.support.redis import redis_server
from workers.app import create_app
from workers.bridge.intake import Intake
from workers.bridge.judging.rules import default_rules
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.receiving import http_server
from workers.bridge.receiving.http_server import Address
from workers.bridge.receiving.receiver import SECRET_HEADER, Receiver
from workers.bridge.settings import BridgeSettings
from workers.bridge.watching.health import Health
from workers.bridge.watching.metrics import BridgeMetrics
from workers.embedded.loopback import HOST
from workers.settings import Settings
from workers.tenants import load_tenants

SECRET = "a secret of a benchmark"
TICKS = os.sysconf("SC_CLK_TCK")
OURS, BARE = "receiver", "bare"

#: Where the messages of `changed` go.
QUEUE = "sync"

_numbers = count(1)


def changed(number: int) -> bytes:
    """Return an event as EventBridge delivers it: another state of another conversation."""
    return _enveloped(f"3f1c6a52-0d8e-4b7a-9c55-{number:012}", "attributes")


def of_no_rule(number: int) -> bytes:
    """Return an event that the shipped rules leave alone."""
    return _enveloped(f"3f1c6a52-0d8e-4b7a-9c55-{number:012}", "acd.end")


def _enveloped(conversation: str, kind: str) -> bytes:
    now = time.time()
    body = {
        "eventTime": round(now * 1000),
        "conversationId": conversation,
        "participantId": "8b0c4b9e-6a3f-4a31-9f0f-2a5a3a1e7d11",
        "attributes": {"tier": "gold", "language": "en-GB", "step": conversation[-6:]},
        "conversationExternalContactIds": [conversation],
        "communications": [{"id": "a7c3e1d2-1111-4222-8333-944455556666", "mediaType": "MESSAGE"}],
    }
    event = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": f"v2.detail.events.conversation.{{id}}.{kind}",
        "source": "aws.partner/genesys.com/cloud/0d1f2c3b-5a6b-4c7d-8e9f-0a1b2c3d4e5f/bus",
        "account": "123456789012",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "region": "us-east-2",
        "resources": [],
        "detail": {
            "topicName": f"v2.detail.events.conversation.{conversation}.{kind}",
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": "1c9d8e7f-6a5b-4c3d-2e1f-0a9b8c7d6e5f"},
        },
    }
    return json.dumps(event).encode()


#: What is sent to which server, by the name of the row.
LOADS: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "new messages": (OURS, lambda: changed(next(_numbers))),
    "known already": (OURS, lambda: changed(0)),
    "of no rule": (OURS, lambda: of_no_rule(next(_numbers))),
    "bare aiohttp": (BARE, lambda: changed(next(_numbers))),
}


@dataclass
class Measured:
    """One load of one server: latencies in seconds, and processor seconds of the server."""

    seconds: float = 0.0
    busy: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def price(self) -> float:
        """Processor seconds a request."""
        return self.busy / len(self.latencies)


async def load(
    url: str, pid: int, body: Callable[[], bytes], *, seconds: float, connections: int
) -> Measured:
    """Send one body after the other over that many connections, for that long."""
    measured = Measured()
    connector = aiohttp.TCPConnector(limit=connections)
    headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(url, connector=connector, headers=headers) as session:

        async def send(until: float) -> None:
            while time.perf_counter() < until:
                sent, started = body(), time.perf_counter()
                async with session.post("/events/default", data=sent) as answer:
                    await answer.read()
                measured.latencies.append(time.perf_counter() - started)
                measured.statuses[answer.status] += 1

        started, busy = time.perf_counter(), _busy(pid)
        await asyncio.gather(*(send(started + seconds) for _ in range(connections)))
        measured.seconds, measured.busy = time.perf_counter() - started, _busy(pid) - busy
    return measured


def _busy(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served(side: str, redis_url: str, core: int) -> Iterator[tuple[str, int]]:
    """Run a server on a core until the block ends, and give its URL and process id."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_receiver", "--serve", side]
    environment = {**os.environ, **unlimited(redis_url), "BENCH_CORE": str(core)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


async def serve_receiver() -> None:
    settings = Settings.load()
    services = create_app(settings, load_tenants(settings)).services
    rules, secret = default_rules(), SecretStr(SECRET)
    metrics = BridgeMetrics(rules.topics())

    async def look() -> Health:
        return Health(broker=True)

    async with Publisher(services) as publisher:
        receiver = Receiver(
            tenants={"default": BridgeSettings(secret=secret)},
            intake=Intake(rules={"default": rules}, publisher=publisher, metrics=metrics),
            metrics=metrics,
            look=look,
        )
        await _serve(receiver.application())


async def serve_bare() -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=b"{}", content_type="application/json")

    app = web.Application()
    app.router.add_post("/events/{tenant}", answer)
    await _serve(app)


async def _serve(app: web.Application) -> None:
    async with http_server.listening(app, Address(host=HOST, port=0)) as port:
        print(f"http://{HOST}:{port}", flush=True)
        await asyncio.Event().wait()


def measure(seconds: float, connections: int, rounds: int) -> dict[str, list[Measured]]:
    """Measure every load in each round; a first short one warms up."""
    found: dict[str, list[Measured]] = {name: [] for name in LOADS}
    with (
        apart() as core,
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as url,
        Redis.from_url(url) as redis,
        served(OURS, url, core) as ours,
        served(BARE, url, core) as bare,
    ):
        at = {OURS: ours, BARE: bare}
        for number in range(rounds + 1):
            for name, (side, body) in LOADS.items():
                span = seconds if number else 1.0
                loading = load(*at[side], body, seconds=span, connections=connections)
                measured = asyncio.run(loading)
                if number:
                    found[name].append(measured)
                if name == "new messages" and redis.llen(QUEUE) != len(measured.latencies):
                    sys.exit("not every event has become a message")
            redis.flushdb()
    return found


@contextmanager
def apart() -> Iterator[int]:
    """Keep off one core, and give it, until the block ends; Redis inherits that."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)
    try:
        yield cores[0]
    finally:
        os.sched_setaffinity(0, cores)


def table(found: Mapping[str, list[Measured]]) -> Table:
    """Medians of the rounds, what a core alone could do at that price, and its part of the bare."""
    shown = Table("events", "per second", "p50 ms", "p99 ms", "CPU µs", "per core", "of bare")
    bare = median(each.price for each in found["bare aiohttp"])
    for name, rounds in found.items():
        cuts = quantiles((each for one in rounds for each in one.latencies), n=100)
        price = median(each.price for each in rounds)
        shown.add_row(
            name,
            f"{median(each.rate for each in rounds):,.0f}",
            f"{cuts[49] * 1000:.1f}",
            f"{cuts[98] * 1000:.1f}",
            f"{price * 1e6:,.0f}",
            f"{1 / price:,.0f}",
            f"{bare / price:.2f}",
        )
    return shown


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; exits with 1 when a request was not answered with 200."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=[OURS, BARE])
    asked = parser.parse_args(arguments)
    if asked.serve:
        os.sched_setaffinity(0, {int(os.environ["BENCH_CORE"])})
        asyncio.run(serve_receiver() if asked.serve == OURS else serve_bare())
    found = measure(asked.seconds, asked.connections, asked.rounds)
    Console().print(table(found))
    statuses = sum((each.statuses for rounds in found.values() for each in rounds), Counter[int]())
    if set(statuses) != {200}:
        sys.exit(f"not all were answered with 200: {dict(statuses)}")


if __name__ == "__main__":
    main()
