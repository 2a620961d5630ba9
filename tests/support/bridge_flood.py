"""A flood of events over both sources, and what has to stand on the queues afterwards."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from tests.support.bridges import (
    SECRET,
    BridgeSite,
    Sent,
    expected,
    ongoing,
    sandbox_process,
    url_of,
)
from tests.support.program import Program
from tests.support.waiting import wait_until
from workers.bridge.watching.reports import BridgeReport, Reports
from workers.sandbox.testing import SandboxHandle
from workers.store import Store

CONTRACT = "platform"
#: What the receiver is pushed, now and then twice, and in no order: contacts, and the ends of
#: chats, which their queue tells by WebSocket, too. Attributes come by WebSocket.
PUSHED: dict[str, Any] = {
    "contract": CONTRACT,
    "topics": ["v2.externalcontacts.*", "*.customer.end"],
    "duplicates": 0.2,
    "reordered": 0.1,
    "late_seconds": 0.1,
    "connections": 32,
}
#: Megabytes by which a process may grow that keeps nothing of what has passed through it.
GROWTH = 32


@dataclass(frozen=True, kw_only=True)
class Flooded:
    """What came of a flood; `grown` in bytes, `report` of the bridge at its end."""

    sent: Counter[Sent]
    expected: Counter[Sent]
    report: BridgeReport
    grown: int
    seconds: float
    delivered: int


def flood(redis_url: str, folder: Path, *, events: int, rate: float) -> Flooded:
    """Let `events` happen, `rate` a second, with 20 % duplicates over both sources."""
    with sandbox_process(folder) as sandbox, Redis.from_url(redis_url) as redis:
        redis.flushdb()
        site = BridgeSite(
            redis_url=redis_url,
            sandbox=sandbox,
            folder=folder,
            bridge={
                "queues": [sandbox.queue_id()],
                "conversations": ongoing(sandbox),
                "secret_env": "BRIDGE_TEST_SECRET",
            },
        )
        with site.running() as bridge:
            bridge.says("bridge.connected")
            sandbox.add_target(f"{url_of(bridge)}/events/default", SECRET, **PUSHED)
            return _poured(site, bridge, redis, events=events, rate=rate)


def _poured(
    site: BridgeSite, bridge: Program, redis: Redis, *, events: int, rate: float
) -> Flooded:
    sandbox, before, began = site.sandbox, bridge.memory(), time.monotonic()
    untidy: dict[str, Any] = {"duplicates": 0.2, "repeated": 0.05, "reordered": 0.1}
    sandbox.start_stream(rate=rate, events=events, **untidy)
    wait_until(lambda: _is_over(sandbox), 300, "all events are delivered", pause=2)
    seconds = time.monotonic() - began
    wanted = expected(sandbox, contract=CONTRACT)
    wait_until(lambda: site.sent(redis) == wanted, 60, "the expected messages", pause=1)
    return Flooded(
        sent=site.sent(redis),
        expected=wanted,
        report=_last_report(site.redis_url),
        grown=bridge.memory() - before,
        seconds=seconds,
        delivered=sandbox.events_summary()["stream"]["delivered"],
    )


def _is_over(sandbox: SandboxHandle) -> bool:
    summary: dict[str, Any] = sandbox.events_summary(contract=CONTRACT)
    (target,) = summary["targets"]
    return not summary["stream"]["running"] and not target["waiting"]


def _last_report(redis_url: str) -> BridgeReport:
    """Return what the bridge says of itself from now on: it does so every few seconds."""
    now = time.time()
    wait_until(lambda: report_of(redis_url).at > now, 60, "the bridge says how it is", pause=0.2)
    return report_of(redis_url)


def report_of(redis_url: str) -> BridgeReport:
    """Return what the one bridge that runs says of itself."""
    store = Store.connect(redis_url)
    with store.redis:
        (report,) = Reports(store=store).heard(store.now())
        return report
