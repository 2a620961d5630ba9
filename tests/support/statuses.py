"""A system's status as `look` returns it, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workers.limits.overrides import TenantPause
from workers.watching.roster import WorkerStatus
from workers.watching.status import QueueStatus, Status, SystemStatus


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
        "at": 1_800_000_000.0,
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
