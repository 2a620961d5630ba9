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

    def spend(self, key: tuple[str, str], limit: int, seconds: float) -> int:
        """Charge a budget and return what is left of it. Raises Refused (429)."""
        remaining, until = self.simulation.limits.spend(
            key, limit=limit, seconds=seconds, now=self.now
        )
        self.entry.remaining = remaining
        if until:
            style = self.simulation.options.retry_after
            raise too_many_requests(until=until, now=self.now, style=style)
        return remaining


#: Carries an arrival out. Raises Refused where it may not, or cannot, be.
Judge = Callable[[Arrival], Answer]
