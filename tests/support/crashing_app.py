"""The workers' app, whose process ends by SIGKILL at a step of an operation, once.

The operation's id names the step: `<name>@<step>`, and where several calls change something, the
end of one's route: `<name>+<end>@<step>`. It is for workers that carry out one message at a time:
what is under way is then known to the whole process.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from functools import cached_property
from threading import Thread
from typing import Any

from redis import Redis

from tasks.apis.wire import Wire
from workers.app import Services, from_environment
from workers.auditing.audit import Audit
from workers.remembering.ledger import Claim, Ledger
from workers.transport.leases import Leases

#: Where a process may end, in the order in which a message gets there.
STEPS = (
    "before-the-claim",
    "after-the-claim",
    "after-the-intent",
    "during-the-call",
    "after-the-effect",
    "after-the-answer",
    "after-the-end",
    "before-the-ack",
)

#: Set in Redis: the operations that have ended a process.
CRASHED = "crashed"

#: Seconds after which a call has been sent, and that a sandbox in the test's hands takes longer.
SENT = 0.3


@dataclass(kw_only=True)
class Fuse:
    """What this process carries out, and whether it is to end now."""

    redis: Redis
    operation: str = ""
    changing: bool = False

    def begin(self, operation: str) -> None:
        self.operation, self.changing = operation, False

    @property
    def named(self) -> str:
        return self.operation.partition("@")[0].partition("+")[2]

    def change(self, route: str) -> None:
        """Know what call is about to change something, if it is the one that the id names."""
        self.changing = route.rstrip("}").endswith(self.named)
        if self.changing:
            self.reach("after-the-intent")

    def start(self, method: str, url: str) -> None:
        """Know what call is about to start something without an effect, if the id names it."""
        if self.named and method == "POST" and url.endswith(self.named):
            self.changing = True

    def reach(self, step: str, wait: float = 0.0) -> None:
        """End this process in `wait` seconds, if the operation's id says so and it never did."""
        due = self.operation.endswith(f"@{step}")
        if due and self.redis.sadd(CRASHED, self.operation):
            Thread(target=_end, args=(wait,), daemon=True).start() if wait else _end()


def _end(wait: float = 0.0) -> None:
    time.sleep(wait)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, kw_only=True)
class CrashingLedger(Ledger):
    fuse: Fuse

    def claim(self, tenant: str, operation_id: str, *args: Any, **kwargs: Any) -> Any:
        self.fuse.begin(operation_id)
        self.fuse.reach("before-the-claim")
        granted = super().claim(tenant, operation_id, *args, **kwargs)
        self.fuse.reach("after-the-claim")
        return granted

    def intend(self, claim: Claim, route: str, within: float) -> None:
        super().intend(claim, route, within)
        self.fuse.change(route)


class CrashingWire(Wire):
    """Ends the process around the exchange that follows an intent, or starts a job."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse
        self._session.hooks["response"].append(self._on_answer)

    def exchange(self, method: str, url: str, **request: Any) -> Any:
        self._fuse.start(method, url)
        if self._fuse.changing:
            self._fuse.reach("during-the-call", SENT)
        answer = super().exchange(method, url, **request)
        if self._fuse.changing:
            self._fuse.reach("after-the-answer")
        self._fuse.changing = False
        return answer

    def _on_answer(self, *_: Any, **__: Any) -> None:
        """The outside system has begun to answer; nothing here has read of it."""
        if self._fuse.changing:
            self._fuse.reach("after-the-effect")


@dataclass(frozen=True, kw_only=True)
class CrashingAudit(Audit):
    fuse: Fuse

    def write(self, *args: Any, **kwargs: Any) -> bool:
        done = super().write(*args, **kwargs)
        self.fuse.reach("after-the-end")
        return done


@dataclass(kw_only=True)
class CrashingLeases(Leases):
    fuse: Fuse = field(repr=False)

    def end(self, tag: str) -> None:
        self.fuse.reach("before-the-ack")
        super().end(tag)


@dataclass(frozen=True)
class CrashingServices(Services):
    @cached_property
    def fuse(self) -> Fuse:
        return Fuse(redis=self.store.redis)

    @cached_property
    def ledger(self) -> Ledger:
        return CrashingLedger(**vars(super().ledger), fuse=self.fuse)

    @cached_property
    def audit(self) -> Audit:
        return CrashingAudit(store=self.store, fuse=self.fuse)

    @cached_property
    def wire(self) -> Wire:
        return CrashingWire(self.fuse)

    @cached_property
    def leases(self) -> Leases:
        lease = self.settings.lease_seconds
        return CrashingLeases(claims=self.claims, worker="", lease=lease, fuse=self.fuse)


def __getattr__(name: str) -> object:
    """Make `app` when a worker asks for it: tests import the steps alone."""
    if name != "app":
        raise AttributeError(name)
    app = from_environment()
    services = app.services
    app.services = CrashingServices(services.settings, services.tenants, services.app)
    globals()[name] = app
    return app
