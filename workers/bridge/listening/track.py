"""How far a shard has been heard: what is on the broker, and what was missed."""

from __future__ import annotations

import asyncio

from workers.bridge.listening.asking import in_thread
from workers.bridge.listening.means import Means
from workers.watching.telemetry import log


class Track:
    """The track of one shard; `until` is its position, None where it was never heard.

    A position is written seldom: what comes of an older one is a longer gap, and that is harmless.
    """

    def __init__(self, shard: str, means: Means, until: float | None) -> None:
        self._shard = shard
        self._means = means
        self._until = until
        self._written = float("-inf")

    async def resume(self, opened: float, why: str) -> None:
        """Note what was missed until `opened`, from when on everything comes, and go on from there.

        Nothing was missed of a shard that was never heard. Raises `BrokerAway`.
        """
        if self._until is not None and self._until < opened:
            await in_thread(self._means.gaps.open, self._until, opened, why)
            self._means.metrics.gaps(self._means.tenant, why)
            log.info(
                "bridge.gap",
                tenant=self._means.tenant,
                shard=self._shard,
                seconds=round(opened - self._until, 1),
                reason=why,
            )
        await self._write(opened)

    async def move(self, until: float) -> None:
        """Note that all that was sent before `until` is on the broker. Raises `BrokerAway`."""
        self._until = until
        if _now() - self._written >= self._means.timing.position:
            await self._write(until)

    async def _write(self, until: float) -> None:
        self._until = until
        self._written = _now()
        await in_thread(self._means.positions.move, self._shard, until)


def _now() -> float:
    return asyncio.get_running_loop().time()
