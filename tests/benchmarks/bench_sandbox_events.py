"""How many events a second the sandbox tells over a socket and pushes to a target, on one core.

    python -m tests.benchmarks.bench_sandbox_events --rate 2000 --seconds 10 --contract guide

Runs the sandbox as a process of its own; the socket listens to the queue and to all conversations
of the seed, the target gets everything. `core` is the share of one that the sandbox took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.benchmarks.bench_sandbox import SERVER
from workers.sandbox.notifications.conversation_events import queue_id

SYSTEMS = {
    "platform": ("platform", "platform-client", "platform-secret", "platformConversations"),
    "guide": ("genesys", "sandbox-client", "sandbox-secret", "conversations"),
}
CHANNELS = "/api/v2/notifications/channels"
ATTRIBUTES = "v2.detail.events.conversation.{}.attributes"
QUEUE = "v2.routing.queues.{}.conversations.messages"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is measured."""

    rate: float
    seconds: float
    contract: str


class Sink(asyncio.Protocol):
    """Answers every request with 200, as cheaply as can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0]):
            self._read = b""
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@asynccontextmanager
async def sink() -> AsyncIterator[str]:
    """Run a receiver that takes everything, and give its URL."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def measure(url: str, process: int, asked: Asked) -> dict[str, Any]:
    """Let a stream run for that long and return the figures of it."""
    async with aiohttp.ClientSession(url) as session, sink() as receiver:
        uri = await _channel(session, asked)
        target = {"url": receiver, "secret": "nobody-asks", "contract": asked.contract}
        await _order(session, {"target": target})
        async with session.ws_connect(uri) as socket:
            plan = {"rate": asked.rate, "contract": asked.contract, "repeated": 0.1}
            await _order(session, {"start": {**plan, "duplicates": 0.05, "reordered": 0.05}})
            began, used = time.perf_counter(), cpu_seconds(process)
            heard = await _hear(socket, began + asked.seconds)
            took, used = time.perf_counter() - began, cpu_seconds(process) - used
            async with session.get("/sandbox/events/summary") as response:
                told = await response.json()
    (pushed,) = told["targets"]
    return {
        "told": f"{told['stream']['delivered'] / took:,.0f}",
        "heard": f"{heard / took:,.0f}",
        "pushed": f"{pushed['delivered'] / took:,.0f}",
        "waiting": f"{pushed['waiting']:,}",
        "core": f"{used / took:.2f}",
    }


async def _channel(session: aiohttp.ClientSession, asked: Asked) -> str:
    system, client, secret, kind = SYSTEMS[asked.contract]
    auth = {"Authorization": aiohttp.encode_basic_auth(client, secret)}
    form = {"grant_type": "client_credentials"}
    async with session.post(f"/{system}/oauth/token", data=form, headers=auth) as response:
        headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
    async with session.post(f"/{system}{CHANNELS}", json={}, headers=headers) as response:
        made = await response.json()
    async with session.get(f"/sandbox/state/{kind}") as response:
        ids = (await response.json())["ids"][:900]
    topics = [QUEUE.format(queue_id("default")), *map(ATTRIBUTES.format, ids)]
    path = f"/{system}{CHANNELS}/{made['id']}/subscriptions"
    body = [{"id": each} for each in topics]
    async with session.post(path, json=body, headers=headers) as response:
        response.raise_for_status()
    return str(made["connectUri"])


async def _order(session: aiohttp.ClientSession, order: dict[str, Any]) -> None:
    async with session.post("/sandbox/events", json=order) as response:
        response.raise_for_status()


async def _hear(socket: aiohttp.ClientWebSocketResponse, until: float) -> int:
    heard = 0
    while (left := until - time.perf_counter()) > 0:
        with contextlib.suppress(TimeoutError):
            await socket.receive(timeout=left)
            heard += 1
    return heard


def cpu_seconds(process: int) -> float:
    """What a process has used of a core so far; Linux alone tells."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--contract", choices=SYSTEMS, default="guide")
    asked = Asked(**vars(parser.parse_args()))
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            figures = asyncio.run(measure(url, process.pid, asked))
        finally:
            process.terminate()
    shown = Table(*figures)
    shown.add_row(*figures.values())
    Console().print(f"{asked.contract}, {asked.rate:,.0f} events a second", shown)


if __name__ == "__main__":
    main()
