"""What is to be written to customers: gathered from all messages, written by any one of them.

A field's values are ordered by when they occurred, then by when their operations were first
claimed. A message lets its values wait, and while a customer's window is open others join them; who
comes back first writes the newest value of every field, and the others find theirs written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tasks.apis.customers import CustomerAttribute

_YEAR_ONE = datetime.min.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, order=True)
class Stamp:
    """Where a value stands in the order of its field's values, and whose it is.

    Moments are microseconds since the year 1.
    """

    occurred: int
    claimed: int
    operation: str

    @classmethod
    def of(cls, operation: str, claimed: datetime, occurred_at: datetime | None) -> Stamp:
        """Return the stamp of an operation's values; without a moment its first claim counts."""
        first = (claimed - _YEAR_ONE) // _MICROSECOND
        occurred = (occurred_at - _YEAR_ONE) // _MICROSECOND if occurred_at else first
        return cls(occurred=occurred, claimed=first, operation=operation)

    @classmethod
    def parse(cls, text: str) -> Stamp:
        occurred, claimed, operation = text.split(" ", 2)
        return cls(occurred=int(occurred), claimed=int(claimed), operation=operation)

    def __str__(self) -> str:
        """Return a text that sorts as the stamp does."""
        return f"{self.occurred:018d} {self.claimed:018d} {self.operation}"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The newest value of a field, to be written; `same` says that it stands there already."""

    stamp: Stamp
    attribute: CustomerAttribute
    same: bool = False


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What waits for a customer, and the stamps of what was written last, both by field.

    `held` is for how many seconds more nothing can be written to the customer.
    """

    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    written: Mapping[str, Stamp] = field(default_factory=dict)
    held: float = 0.0

    def newest(self, name: str) -> Stamp | None:
        """Return the stamp of the field's newest value, waiting or written; None without one."""
        waiting = self.waiting.get(name)
        return waiting.stamp if waiting else self.written.get(name)


class Pending(Protocol):
    """Keeps the changes of a tenant's customers for the whole cluster, as one operation sees them.

    Fields go by a key under which the customer store has one value.
    """

    def stamp(self, occurred_at: datetime | None) -> Stamp:
        """Return the stamp of this operation's values, which occurred then."""
        ...

    def gather(
        self, customer_id: str, values: Mapping[str, CustomerAttribute], stamp: Stamp, window: float
    ) -> float:
        """Let each value wait that is not older than the field's newest. Safe to repeat.

        Return the seconds until the customer's window ends, 0 where there is nothing to wait for;
        the first value that waits opens one of `window` seconds.
        """
        ...

    def changes(self, customer_id: str) -> Changes:
        """Return what waits to be written to the customer, and what has been."""
        ...

    def hold(self, customer_id: str, seconds: float) -> None:
        """Let whoever would write to the customer know that it has to wait for so long."""
        ...

    def doubt(self, customer_id: str, names: Sequence[str]) -> None:
        """Before a write: forget what the fields hold, until it is known what came of it."""
        ...

    def written(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        """After a write, or where it is so already: remember, and let nothing older wait."""
        ...

    def drop(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        """Let these values, and no newer ones, wait no longer: they will never be written."""
        ...


#: A value, or None for one that is in doubt, by customer and field.
Held = dict[tuple[str, str], tuple[Stamp, CustomerAttribute | None]]


@dataclass(frozen=True, kw_only=True)
class PendingInMemory:
    """Implements `Pending` in memory; operations that are to meet share its
    dictionaries.

    It has no clock: every value waits for its whole window, and what is held is so for good.
    """

    operation: str = "operation"
    claimed: datetime = _YEAR_ONE
    waits: Held = field(default_factory=dict)
    wrote: Held = field(default_factory=dict)
    holds: dict[str, float] = field(default_factory=dict)

    def stamp(self, occurred_at: datetime | None) -> Stamp:
        return Stamp.of(self.operation, self.claimed, occurred_at)

    def gather(
        self, customer_id: str, values: Mapping[str, CustomerAttribute], stamp: Stamp, window: float
    ) -> float:
        for name, attribute in values.items():
            place = (customer_id, name)
            newer = place in self.waits and self.waits[place][0] > stamp
            if not newer and not (place in self.wrote and self.wrote[place][0] >= stamp):
                self.waits[place] = (stamp, attribute)
        return window if any((customer_id, name) in self.waits for name in values) else 0.0

    def changes(self, customer_id: str) -> Changes:
        waiting = {
            place[1]: Waiting(
                stamp=stamp,
                attribute=attribute,
                same=place in self.wrote and self.wrote[place][1] == attribute,
            )
            for place, (stamp, attribute) in self.waits.items()
            if place[0] == customer_id and attribute
        }
        written = {
            name: stamp for (whose, name), (stamp, _) in self.wrote.items() if whose == customer_id
        }
        return Changes(waiting=waiting, written=written, held=self.holds.get(customer_id, 0.0))

    def hold(self, customer_id: str, seconds: float) -> None:
        self.holds[customer_id] = seconds

    def doubt(self, customer_id: str, names: Sequence[str]) -> None:
        for place in ((customer_id, name) for name in names):
            if place in self.wrote:
                self.wrote[place] = (self.wrote[place][0], None)

    def written(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        for name, value in values.items():
            self.wrote[customer_id, name] = (value.stamp, value.attribute)
        self.drop(customer_id, values)

    def drop(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        for name, value in values.items():
            place = (customer_id, name)
            if place in self.waits and self.waits[place][0] <= value.stamp:
                del self.waits[place]
