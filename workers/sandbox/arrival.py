"""A request that has been read and journaled, before anybody has judged it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from workers.sandbox.call import Answer, Call
from workers.sandbox.dialect import Dialect
from workers.sandbox.faults import Fault
from workers.sandbox.journal import Entry
from workers.sandbox.limits import Budget
from workers.sandbox.simulation import Simulation


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A request, its journal entry and the moment it came in."""

    simulation: Simulation
    dialect: Dialect
    request: web.Request
    raw: bytes
    entry: Entry
    now: float
    #: What it is to be hit by.
    faults: Sequence[Fault] = ()
    #: What the answer tells about.
    budget: Budget | None = None
    #: What it became once it was judged; a foreign write needs to know.
    call: Call | None = None

    def spend(self, key: tuple[str, str], limit: int, seconds: float) -> None:
        """Charge one call to a budget. Raises Refused (429) when nothing is left of it."""
        limits = self.simulation.limits
        if not limits.spend(key, limit=limit, seconds=seconds, now=self.now):
            spent = limits.budget(key, limit=limit, seconds=seconds, now=self.now)
            raise self.dialect.too_many_requests(spent, self.now, self.simulation.options)

    def tell_remaining(self, key: tuple[str, str], limit: int, seconds: float) -> None:
        """Let the answer say how much is left of a budget."""
        limits = self.simulation.limits
        self.budget = limits.budget(key, limit=limit, seconds=seconds, now=self.now)
        self.entry.remaining = self.budget.left


#: Carries an arrival out. Raises Refused where it may not, or cannot, be.
Judge = Callable[[Arrival], Answer]
