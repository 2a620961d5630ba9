"""Questions to a tenant's outside systems that may wait: live work goes before them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from tasks.apis.systems import Systems
from tasks.errors import Postponed, RateLimited
from workers.bridge.listening.asking import broker_needed, in_thread
from workers.limits.priority import LEFT_TO_OTHERS
from workers.outside.visits import visiting
from workers.transport.claims import WINDOW_SECONDS

if TYPE_CHECKING:
    from workers.app import Services

T = TypeVar("T")

#: Seconds that are waited for at most: longer than a budget's window.
LONGEST = 90.0
#: Seconds between two tries meanwhile: what is left to others melts.
STEP = 2.0
#: Calls a minute that are left to others at most, a fifth of what the vendor usually allows: where
#: a tenant's budget is set too high, the server's own is the smaller one.
MOST_LEFT = 60


class Patience:
    """Asks for one tenant, one question at a time, in a thread of its own.

    It leaves as much of the budget to others as batch work does: a call leaves only where that much
    more would fit, which melts towards the end of the budget's window.
    """

    def __init__(
        self,
        services: Services,
        tenant: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._services = services
        self._tenant = tenant
        self._sleep = sleep
        self._thread = ThreadPoolExecutor(1, f"backfill-{tenant}")
        share = LEFT_TO_OTHERS["batch"] * services.tenants[tenant].requests_per_minute
        self._share = min(share, MOST_LEFT)

    async def ask(self, question: Callable[[Systems], T]) -> T:
        """Return the answer, once budget and pauses allow it.

        Raises `Postponed` where that takes longer than is waited for, `BrokerAway`, and what the
        question raises.
        """
        loop, left = asyncio.get_running_loop(), WINDOW_SECONDS
        while True:
            try:
                with broker_needed():
                    return await loop.run_in_executor(self._thread, self._once, question, left)
            except RateLimited as error:
                await in_thread(self._services.runner.pause, self._tenant, error)
            except Postponed as error:
                if error.wait > LONGEST:
                    raise
                left = await self._waited(error.wait, left)

    def _once(self, question: Callable[[Systems], T], left: float) -> T:
        """Ask where the call fits, and what is left to others so many seconds before the end."""
        calls = 1 + round(self._share * left / WINDOW_SECONDS)
        with visiting(self._services, self._tenant, calls) as systems:
            return question(systems)

    async def _waited(self, wait: float, left: float) -> float:
        """Wait, unless less is left of the window than was thought; return what is left."""
        if wait < left - STEP:
            return wait
        step = min(wait, STEP)
        await self._sleep(step)
        return wait - step or WINDOW_SECONDS
