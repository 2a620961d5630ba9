"""What the bridge asks a tenant's API: in a thread, and again where it only has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from tasks.apis.notifications import Notifications
from tasks.apis.systems import offered
from tasks.errors import BrokerAway, Postponed, RateLimited
from workers import policy
from workers.store import INFRASTRUCTURE
from workers.telemetry import log
from workers.visits import visiting

if TYPE_CHECKING:
    from workers.app import Services

T = TypeVar("T")
P = ParamSpec("P")


class Ask(Protocol):
    """Asks the notification service something. Raises `BrokerAway` and the `ApiError` of an answer.

    A budget that is spent, a pause and a 429 are waited for.
    """

    async def __call__(self, question: Callable[[Notifications], T]) -> T: ...


class Asking:
    """Implements `Ask` for one tenant."""

    def __init__(
        self,
        services: Services,
        tenant: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._services = services
        self._tenant = tenant
        self._sleep = sleep

    async def __call__(self, question: Callable[[Notifications], T]) -> T:
        while True:
            try:
                return await in_thread(self._once, question)
            except Postponed as error:
                await self._sleep(error.wait)
            except RateLimited as error:
                await in_thread(self._pause, error)

    def _once(self, question: Callable[[Notifications], T]) -> T:
        with visiting(self._services, self._tenant) as systems:
            return question(offered(systems.notifications))

    def _pause(self, error: RateLimited) -> None:
        """Let nobody call for as long as the server says: the next try waits for that, too."""
        runner = self._services.runner
        seconds = policy.pause_after(error, policy.rule_for(error, runner.rules))
        by_server = error.retry_after is not None
        runner.connections[self._tenant].pause(error.system, seconds, by_server=by_server)
        log.info("system.paused", tenant=self._tenant, system=error.system, seconds=seconds)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` does with Redis, in a thread. Raises `BrokerAway` where that is away."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except INFRASTRUCTURE:
        raise BrokerAway("Redis is away") from None
