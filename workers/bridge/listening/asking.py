"""What the bridge asks Redis and a tenant's API: in threads, so that hearing goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

import redis

from tasks.apis.notifications import Notifications
from tasks.apis.systems import offered
from tasks.errors import BrokerAway, Postponed, RateLimited
from workers.outside.visits import visiting
from workers.store import INFRASTRUCTURE, told_apart

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
    """Implements `Ask` for one tenant, one question at a time.

    It has a thread of its own: where one tenant's API is slow, nobody else waits for it.
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
        self._thread = ThreadPoolExecutor(1, f"asking-{tenant}")

    async def __call__(self, question: Callable[[Notifications], T]) -> T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                with broker_needed():
                    return await loop.run_in_executor(self._thread, self._once, question)
            except Postponed as error:
                await self._sleep(error.wait)
            except RateLimited as error:
                # The next try waits for that, too.
                await in_thread(self._services.runner.pause, self._tenant, error)

    def _once(self, question: Callable[[Notifications], T]) -> T:
        with visiting(self._services, self._tenant) as systems:
            return question(offered(systems.notifications))


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` does with Redis, in a thread. Raises `BrokerAway` as `broker_needed`."""
    with broker_needed():
        return await asyncio.to_thread(work, *args, **kwargs)


@contextmanager
def broker_needed() -> Iterator[None]:
    """Raise `BrokerAway` where Redis is away in the block, or takes no writes."""
    try:
        yield
    except INFRASTRUCTURE:
        raise BrokerAway("Redis is away") from None
    except redis.ResponseError as error:
        if isinstance(told_apart(error), INFRASTRUCTURE):
            raise BrokerAway("Redis takes no writes") from None
        raise
