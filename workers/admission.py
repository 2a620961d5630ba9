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

#: Seconds from its first attempt for which a message waits for a budget or the end of a pause.
DEADLINE = 86_400.0

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
    """The budget and the pause of one outside system of one tenant."""

    store: Store
    tenant: str
    system: str
    per_minute: int

    def charge(self, calls: int, *, begin: bool) -> None:
        """Charge so many calls; raise `Postponed` while paused, or where they do not fit.

        Only what begins has to fit: work that has begun is finished, over the budget if need be.
        """
        wait, why = self.store.run(
            "enter_call",
            [self._key("pause"), self._key("window")],
            [
                self.per_minute,
                round(WINDOW_SECONDS * 1000),
                min(calls, self.per_minute),
                "begin" if begin else "go on",
            ],
        )
        if wait:
            reason = "is paused" if why == b"paused" else "has spent its budget"
            raise Postponed(
                f"{self.system} of {self.tenant} {reason}", int(wait) / 1000, deadline=DEADLINE
            )

    def give_back(self, calls: int) -> None:
        """Return calls that were charged and not made."""
        self.store.run("return_calls", [self._key("window")], [calls])

    def settle(self, remaining: int) -> None:
        """Lower what is left to what the server says is left."""
        self.store.run("settle_call", [self._key("window")], [self.per_minute, remaining])

    def pause(self, seconds: float) -> None:
        """Let no call of any worker leave for so long."""
        self.store.run("pause_system", [self._key("pause")], [max(1, round(seconds * 1000))])

    def _key(self, what: str) -> str:
        return key(what, self.tenant, self.system)


class AttemptGate:
    """Implements `Gate` for one attempt, which usually makes `expected` calls.

    These are reserved with the first call, so that what has begun can end; what is not used is
    given back by `close`.
    """

    def __init__(self, gate: SystemGate, expected: int) -> None:
        self._gate = gate
        self._expected = max(1, expected)
        self._begun = False
        self._reserved = 0

    def enter(self) -> None:
        if not self._begun:
            self._gate.charge(self._expected, begin=True)
            self._begun, self._reserved = True, self._expected - 1
        elif self._reserved:
            self._gate.charge(0, begin=False)
            self._reserved -= 1
        else:
            self._gate.charge(1, begin=False)

    def settle(self, *, remaining: int | None) -> None:
        if remaining is not None:
            self._gate.settle(max(0, remaining - self._reserved))

    def close(self) -> None:
        """Give back what was reserved and not used."""
        if self._reserved:
            self._gate.give_back(self._reserved)
            self._reserved = 0
