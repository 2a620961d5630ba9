"""Budgets: when a call to an outside system may leave.

An outside system of a tenant has a budget of calls a minute, shared by all workers, and is paused
for everybody after a 429. Both count on the clock of Redis.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apis.calls import Allowance
from tasks.errors import Postponed
from workers.limits.admission import budget_name
from workers.store import Store, key
from workers.transport.claims import WINDOW_SECONDS, message_key

#: How long a message waits for a budget or the end of a pause, from its first attempt, in seconds.
DEADLINE = 86_400.0

#: Servers count in whole seconds: by so much their window may end later than they say.
ROUNDING = 1.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A call as it was charged: the window it counts in, and the calls made in that so far.

    `left` is how many seconds the window had left.
    """

    window: str
    made: int
    left: float


@dataclass(frozen=True, kw_only=True)
class SystemGate:
    """The budget and the pause of one outside system of one tenant."""

    store: Store
    tenant: str
    system: str
    per_minute: int

    def enter(self, tag: str, expected: int) -> Entry:
        """Charge one call of the message claimed as `tag`, and return where it counts.

        With an attempt's first call, `expected` says how many it is going to make: they have to
        fit. With a later one it is 0; work that has begun is finished, over the budget if need be.
        Raises `Postponed` while the system is paused, or where the calls do not fit.
        """
        wait, *answer = self.store.run(
            "enter_call",
            [self._key("pause"), message_key(tag)],
            [self._name, self.per_minute, round(WINDOW_SECONDS * 1000), expected, tag],
        )
        if wait:
            paused = answer == [b"paused"]
            reason = "is paused" if paused else "has spent its budget"
            about = f"{self.system} of {self.tenant} {reason}"
            kind = "pause" if paused else "budget"
            raise Postponed(about, int(wait) / 1000, deadline=DEADLINE, kind=kind)
        window, made, left = answer
        return Entry(window=window.decode(), made=made, left=left / 1000)

    def settle(self, entry: Entry, allowance: Allowance) -> None:
        """Lower what is left to what the server said is left, after the call that `entry` is.

        Where the server says when its window ends, ours ends with it.
        """
        remaining, resets = allowance.remaining, _shift(entry, allowance)
        if remaining is not None and (resets or self.per_minute - remaining > entry.made):
            arguments = [entry.window, self.per_minute, remaining, round(resets * 1000)]
            self.store.run("settle_call", [self._key("budget")], arguments)

    def pause(self, seconds: float, *, by_server: bool) -> None:
        """Let no call of any worker leave for so long; the server's time begins a new window."""
        arguments = [max(1, round(seconds * 1000)), "server" if by_server else ""]
        self.store.run("pause_system", [self._key("pause"), self._key("budget")], arguments)

    @property
    def _name(self) -> str:
        return budget_name(self.tenant, self.system)

    def _key(self, what: str) -> str:
        return key(what, self._name)


class AttemptGate:
    """Implements `Gate` for one attempt, which usually makes `expected` calls.

    Its claim has reserved some; with the first call the rest is, so that what has begun can end.
    What is not used is given back when the claim ends.
    """

    def __init__(self, gate: SystemGate, tag: str, expected: int) -> None:
        self._gate = gate
        self._tag = tag
        self._expected = max(1, expected)
        self._entry: Entry | None = None

    def enter(self) -> None:
        expected = 0 if self._entry else self._expected
        self._entry = self._gate.enter(self._tag, expected)

    def settle(self, allowance: Allowance) -> None:
        if self._entry:
            self._gate.settle(self._entry, allowance)


def _shift(entry: Entry, allowance: Allowance) -> float:
    """Return the seconds to the end of the server's window where that is another than ours, else 0.

    A server that counts in longer windows than ours is not followed.
    """
    if not allowance.resets_in or allowance.resets_in > WINDOW_SECONDS:
        return 0.0
    resets = allowance.resets_in + ROUNDING
    return resets if abs(resets - entry.left) > 2 * ROUNDING else 0.0
