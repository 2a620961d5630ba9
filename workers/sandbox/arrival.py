"""A request that has been read and journaled, before anybody has judged it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from workers.sandbox.call import Answer, Call
from workers.sandbox.journal import Entry
from workers.sandbox.limits import too_many_requests
from workers.sandbox.simulation import Simulation


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A request, its journal entry and the moment it came in."""

    simulation: Simulation
    request: web.Request
    raw: bytes
    entry: Entry
    now: float
    #: What it became once it was judged; a foreign write needs to know.
    call: Call | None = None

    def spend(self, key: tuple[str, str], limit: int, seconds: float) -> None:
        """Charge one call to a budget. Raises Refused (429) when nothing is left of it."""
        limits, now = self.simulation.limits, self.now
        if until := limits.spend(key, limit=limit, seconds=seconds, now=now):
            style = self.simulation.options.retry_after
            raise too_many_requests(until=until, now=now, style=style)

    def tell_remaining(self, key: tuple[str, str], limit: int) -> None:
        """Let the answer say how much is left of a budget."""
        self.entry.remaining = self.simulation.limits.left(key, limit=limit, now=self.now)


#: Carries an arrival out. Raises Refused where it may not, or cannot, be.
Judge = Callable[[Arrival], Answer]
