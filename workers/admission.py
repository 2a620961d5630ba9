"""Admission: when a message may start, and when a call may leave.

A queue has a rate over all workers of the cluster. An outside system of a tenant has a budget of
calls a minute, shared by them too, and is paused for everybody after a 429. All of it counts on
the clock of Redis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tasks.errors import Postponed
from workers.store import Store, key

#: A little over the minute that servers count, so that our window never ends before theirs.
WINDOW_SECONDS = 60.25

#: How long a message that comes back is not charged again.
TICKET_SECONDS = 3_600


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Admits messages at the rate of their queue; `rate_of` gives messages per second."""

    store: Store
    rate_of: Callable[[str], float]

    def admit(self, queue: str, message_id: str) -> None:
        """Return when the message may run; raise `Postponed` where it came too early.

        A message is charged once in its life: it is free when it comes back.
        """
        rate = self.rate_of(queue)
        wait = self.store.run(
            "admit_message",
            [key("rate", queue), key("ticket", queue, message_id)],
            [round(1e6 / rate), burst(rate), TICKET_SECONDS * 1000],
        )
        if wait:
            raise Postponed(f"rate of {queue}", int(wait) / 1e6)


def burst(rate: float) -> int:
    """Return how many messages may start at once: what falls into a tenth of a second."""
    return max(1, math.ceil(rate / 10))


@dataclass(frozen=True, kw_only=True)
class SystemGate:
    """Implements `Gate` for one outside system of one tenant."""

    store: Store
    tenant: str
    system: str
    per_minute: int

    def enter(self) -> None:
        wait, why = self.store.run(
            "enter_call",
            [self._key("pause"), self._key("window")],
            [self.per_minute, round(WINDOW_SECONDS * 1000)],
        )
        if wait:
            reason = "is paused" if why == b"paused" else "has spent its budget"
            raise Postponed(f"{self.system} of {self.tenant} {reason}", int(wait) / 1000)

    def settle(self, *, remaining: int | None) -> None:
        if remaining is not None:
            self.store.run("settle_call", [self._key("window")], [self.per_minute, remaining])

    def pause(self, seconds: float) -> None:
        """Let no call of any worker leave for so long."""
        self.store.run("pause_system", [self._key("pause")], [max(1, round(seconds * 1000))])

    def _key(self, what: str) -> str:
        return key(what, self.tenant, self.system)
