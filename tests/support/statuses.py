"""A system's status as `look` returns it, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workers.app import queues
from workers.bridge.state.gaps import Gap
from workers.bridge.watching.reports import BridgeReport
from workers.limits.overrides import RateSet, TenantPause
from workers.watching.roster import WorkerStatus
from workers.watching.status import QueueStatus, Status, SystemStatus

NOW = 1_800_000_000.0
KNOWN = [each.name for each in queues(["default", "acme"])]


def queue(name: str, **changes: Any) -> QueueStatus:
    """Return an idle queue, with some of it changed."""
    usual: dict[str, Any] = {
        "waiting": 0,
        "delayed": 0,
        "leased": 0,
        "head_waits": None,
        "rate": 100.0,
        "rate_set": None,
        "achieved": 0.0,
        "readers": (),
        "trouble": None,
    }
    return QueueStatus(name=name, **{**usual, **changes})


def system(tenant: str, name: str, **changes: Any) -> SystemStatus:
    """Return a system that nothing was asked of, with some of it changed."""
    usual: dict[str, Any] = {
        "limit": 300,
        "spent": 0,
        "reserved": 0,
        "window_left": None,
        "pause_left": None,
    }
    return SystemStatus(tenant=tenant, system=name, **{**usual, **changes})


def worker(name: str, *, slots: int = 16, alive: bool = True) -> WorkerStatus:
    """Return a worker that holds nothing."""
    return WorkerStatus(name=name, queues=(), slots=slots, held=0, silent=0.0, alive=alive)


def status(*, pauses: Iterable[str] = (), **changes: Any) -> Status:
    """Return an empty system, with some of it changed; `pauses` names tenants."""
    usual: dict[str, Any] = {
        "at": NOW,
        "queues": (),
        "strays": (),
        "complete": True,
        "held": 0,
        "systems": (),
        "workers": (),
        "dead_letters": 0,
        "findings": {},
        "bridges": (),
        "gaps": {},
    }
    paused = {tenant: TenantPause(by="operator", at=0.0) for tenant in pauses}
    return Status(**{**usual, **changes}, pauses=paused)


def bridge(tenant: str = "default", name: str = "3f2a1b4c5d6e:7", **changes: Any) -> BridgeReport:
    """Return the report of a bridge that leads and has much to do, with some of it changed."""
    usual: dict[str, Any] = {
        "at": NOW,
        "leads": True,
        "listens": True,
        "receives": True,
        "channels": 2,
        "topics": 1_200,
        "connected_since": NOW - 7_300,
        "last_event": NOW - 3,
        "rate": 123.4,
        "lag": (0.018, 0.49),
        "counts": {"enqueued": 123_456, "duplicates": 98_765},
    }
    return BridgeReport(bridge=name, tenant=tenant, **{**usual, **changes})


def busy() -> Status:
    """Return the status of a system in which everything happens at once."""
    rate_set = RateSet(rate=0.5, by="ana@desk-17", at=NOW - 700)
    return status(
        queues=(
            queue(
                "redact.acme",
                waiting=123_456,
                delayed=1_234,
                leased=16,
                head_waits=7_200.0,
                achieved=2.9,
                rate=3.0,
                rate_set=rate_set,
                readers=("a", "b"),
            ),
            *(queue(name, readers=("a",)) for name in KNOWN),
        ),
        strays=(queue("merge.typo", waiting=1, trouble="unknown tenant typo"),),
        systems=(
            system("default", "genesys", spent=290, reserved=12, window_left=31.0, pause_left=9.0),
            system("acme", "cxone"),
        ),
        workers=(worker("normal@3f2a1b4c5d6e"), worker("old@3f2a1b4c5d6e", alive=False)),
        bridges=(
            bridge("acme", rejected=3),
            bridge("default", name="aa2a1b4c5d6e:7", leads=False, connected_since=None),
        ),
        gaps={"acme": (Gap(id="g", start=NOW - 60, end=NOW, reason="silence"),)},
        dead_letters=1_234,
    )
