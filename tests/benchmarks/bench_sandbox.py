"""How many requests a second the sandbox holds, and how long they take.

    python tests/benchmarks/bench_sandbox.py --seconds 10 --connections 16

Runs the sandbox as a process of its own. Half of the requests read a participant, half set an
attribute; each connection works on a conversation of its own, kept alive.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

import aiohttp
from rich.console import Console
from rich.table import Table

#: Budgets that no benchmark reaches.
SERVER = (
    "from workers.sandbox import Options, serve;"
    "serve(options=Options(requests_per_minute=10**9, participants_per_second=10**9))"
)
PARTICIPANTS = "/genesys/api/v2/conversations/voice/participants"


@dataclass
class Measured:
    """Latencies in seconds by method, and what was answered."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: {"GET": [], "PATCH": []})
    statuses: Counter[int] = field(default_factory=Counter)


@contextmanager
def sandbox() -> Iterator[str]:
    """Run a sandbox and give its URL."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


async def measure(url: str, *, seconds: float, connections: int) -> Measured:
    """Load the sandbox for that long, over that many connections."""
    measured = Measured()
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        session.headers["Authorization"] = f"Bearer {await _token(session)}"
        conversations = await _conversations(session)
        until = time.perf_counter() + seconds
        loads = (_load(session, each, until, measured) for each in conversations[:connections])
        await asyncio.gather(*loads)
    return measured


async def _token(session: aiohttp.ClientSession) -> str:
    form = {"grant_type": "client_credentials"}
    auth = aiohttp.encode_basic_auth("sandbox-client", "sandbox-secret")
    headers = {"Authorization": auth}
    async with session.post("/genesys/oauth/token", data=form, headers=headers) as response:
        return str((await response.json())["access_token"])


async def _conversations(session: aiohttp.ClientSession) -> list[str]:
    async with session.get("/sandbox/state/conversations") as response:
        return list((await response.json())["ids"])


async def _load(
    session: aiohttp.ClientSession, conversation_id: str, until: float, measured: Measured
) -> None:
    query = {"conversationId": conversation_id}
    async with session.get(PARTICIPANTS, params=query) as response:
        participants = (await response.json())["entities"]
    there = next(each["id"] for each in participants if each["state"] == "connected")
    path, count = f"{PARTICIPANTS}/{there}", 0
    while time.perf_counter() < until:
        count += 1
        body = {"participantAttributes": {"count": str(count)}}
        await _timed(session, measured, "GET", path, params=query)
        await _timed(session, measured, "PATCH", path, json=body)


async def _timed(
    session: aiohttp.ClientSession, measured: Measured, method: str, path: str, **options: object
) -> None:
    started = time.perf_counter()
    async with session.request(method, path, **options) as response:  # type: ignore[arg-type]
        await response.read()
    measured.latencies[method].append(time.perf_counter() - started)
    measured.statuses[response.status] += 1


def table(measured: Measured, seconds: float) -> Table:
    """Requests a second, median and 99th percentile by method and together."""
    shown = Table("requests", "per second", "p50 ms", "p99 ms")
    together = [each for latencies in measured.latencies.values() for each in latencies]
    for name, latencies in (*measured.latencies.items(), ("all", together)):
        cuts = quantiles(latencies, n=100)
        per_second = f"{len(latencies) / seconds:,.0f}"
        shown.add_row(name, per_second, f"{cuts[49] * 1000:.2f}", f"{cuts[98] * 1000:.2f}")
    return shown


def main() -> None:
    """Measure and print; exits with 1 when a request was not answered with 200."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    with sandbox() as url:
        load = measure(url, seconds=asked.seconds, connections=asked.connections)
        measured = asyncio.run(load)
    Console().print(table(measured, asked.seconds))
    sys.exit(set(measured.statuses) != {200})


if __name__ == "__main__":
    main()
