"""When a tenant's connections are tried: later after failures, and never all at once."""

from __future__ import annotations

import asyncio
from random import Random

from workers.bridge.listening.asking import in_thread
from workers.bridge.state.backoff import Backoff


class Pace:
    """The pace of all connections of a tenant, `apart` seconds between two of them.

    What fails together counts as one failure: where the service ends all connections, that is one
    reason to wait and not as many as there were.
    """

    def __init__(self, backoff: Backoff, *, apart: float, random: Random | None = None) -> None:
        self._backoff = backoff
        self._apart = apart
        self._random = random or Random()
        self._one_by_one = asyncio.Lock()
        self._failed_at = float("-inf")

    async def turn(self) -> float:
        """Wait until a connection may be tried; return when that is, for `failed`."""
        async with self._one_by_one:
            while (left := await in_thread(self._backoff.left)) > 0:
                await asyncio.sleep(left)
            await asyncio.sleep(self._apart * self._random.uniform(0.5, 1.0))
            return self._now()

    async def failed(self, began: float, retry_after: float | None = None) -> None:
        """Remember that what began at `began` has ended, and what its answer asked to wait."""
        if retry_after is None and began < self._failed_at:
            return
        self._failed_at = self._now()
        await in_thread(self._backoff.failed, retry_after)

    async def succeeded(self) -> None:
        """Forget failures: a connection has lasted."""
        await in_thread(self._backoff.succeeded)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
