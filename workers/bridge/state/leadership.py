"""Which of several bridges works for a tenant: one leads, the others stand by.

It is a lease in Redis. Whoever finds that it has lost it stops; until then two may work at the same
time, for a moment, as after a fail-over of Redis: what they do has to bear that.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import uuid4

from redis.exceptions import LockError

from workers.store import INFRASTRUCTURE, Store, key
from workers.watching.telemetry import describe, log

#: Seconds after its last sign of life that somebody else may lead.
LEASE = 10.0
#: Seconds between two signs of life.
RENEWAL = 3.0
#: Seconds between two tries, of a standby to lead, and of a leader that Redis does not answer.
ATTEMPT = 1.0

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

Ask = Callable[[Callable[[], object]], Awaitable[object]]


def uptime() -> float:
    """Return seconds of a clock that goes on while the machine, or this process, is asleep."""
    return time.clock_gettime(_CLOCK)


class Leadership:
    """The lead for a tenant, for which this process is one of the candidates."""

    def __init__(
        self,
        store: Store,
        tenant: str,
        *,
        lease: float = LEASE,
        clock: Callable[[], float] = uptime,
        name: str | None = None,
    ) -> None:
        self.tenant = tenant
        self._lease = lease
        self._clock = clock
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._redis = store.redis
        self._key = key("bridge", tenant, "leader")
        # Any thread may renew what another one has acquired.
        self._lock = store.redis.lock(self._key, timeout=lease, thread_local=False)
        self._until = 0.0

    @property
    def leads(self) -> bool:
        """Whether this process leads, as far as it can know without asking Redis.

        One that was paused for longer than its lease knows that it does not, as soon as it wakes.
        """
        return self.left > 0

    @property
    def left(self) -> float:
        """Seconds for which it leads, should it not renew its lease."""
        return max(0.0, self._until - self._clock())

    def try_acquire(self) -> bool:
        """Lead, if nobody does; return whether this process leads now."""
        asked = self._clock()
        if self._lock.acquire(blocking=False, token=f"{self._name} {uuid4().hex}"):
            self._until = asked + self._lease
        return self.leads

    def renew(self) -> bool:
        """Go on leading for a whole lease; return False where that is not possible any more."""
        asked = self._clock()
        try:
            self._lock.reacquire()
        except LockError:
            self._until = 0.0
        else:
            self._until = asked + self._lease
        return self.leads

    def release(self) -> None:
        """Lead no more, so that somebody else may at once; after the lease, if Redis is away."""
        self._until = 0.0
        with suppress(LockError, *INFRASTRUCTURE):
            self._lock.release()

    def leader(self) -> str | None:
        """Return the name of the process that leads, None where none does."""
        held = self._redis.get(self._key)
        return held.decode().partition(" ")[0] if isinstance(held, bytes) else None


async def lead(
    leadership: Leadership,
    work: Callable[[], Awaitable[None]],
    *,
    renewal: float = RENEWAL,
    attempt: float = ATTEMPT,
) -> None:
    """Do `work` whenever this process leads; return when it has ended by itself.

    It is begun with the lead, and cancelled, and waited for, where the lead is lost; then this
    process stands by, and may begin again. Where `lead` itself is cancelled, or the work fails, the
    lead is given to somebody else once the work has ended. It has a thread of its own, so that
    nothing but Redis keeps it from renewing the lease.
    """
    thread = ThreadPoolExecutor(1, f"leadership-{leadership.tenant}")
    ask = partial(asyncio.get_running_loop().run_in_executor, thread)
    try:
        ended = False
        while not ended:
            await _stand_by(leadership, ask, attempt)
            ended = await _lead(leadership, work, ask, renewal, attempt)
    finally:
        thread.shutdown(wait=False)


async def _stand_by(leadership: Leadership, ask: Ask, attempt: float) -> None:
    """Wait until this process leads."""
    away = False
    while True:
        try:
            if await ask(leadership.try_acquire):
                log.info("bridge.leads", tenant=leadership.tenant)
                return
            away = False
        except INFRASTRUCTURE as error:
            if not away:
                log.warning("bridge.cannot_lead", tenant=leadership.tenant, error=describe(error))
            away = True
        await asyncio.sleep(attempt)


async def _lead(
    leadership: Leadership,
    work: Callable[[], Awaitable[None]],
    ask: Ask,
    renewal: float,
    attempt: float,
) -> bool:
    """Work while this process leads; return whether the work has ended by itself."""
    working = asyncio.ensure_future(work())
    keeping = asyncio.create_task(_keep(leadership, ask, renewal, attempt))
    try:
        ended, _ = await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel(working)
        await _cancel(keeping)
        await _release(leadership, ask)
    for task in ended:
        task.result()
    return working in ended


async def _keep(leadership: Leadership, ask: Ask, renewal: float, attempt: float) -> None:
    """Renew the lease until it is lost."""
    pause = renewal
    while leadership.leads:
        try:
            async with asyncio.timeout(leadership.left):
                await asyncio.sleep(pause)
                await ask(leadership.renew)
            pause = renewal
        except TimeoutError:
            continue
        except INFRASTRUCTURE:
            pause = attempt
    log.warning("bridge.lead_lost", tenant=leadership.tenant)


async def _release(leadership: Leadership, ask: Ask) -> None:
    """Release the lead, and wait for that no longer than until the lease ends by itself."""
    with suppress(TimeoutError):
        async with asyncio.timeout(leadership.left):
            await ask(leadership.release)


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
