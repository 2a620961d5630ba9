"""Hearing a channel: everything that its WebSocket carries goes to the broker, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from tasks.errors import UnreadableEvent
from workers.bridge.listening.dialing import NotConnected
from workers.bridge.listening.listener import Batch, Connection, Frame
from workers.bridge.listening.means import SOURCE, Means
from workers.bridge.listening.track import Track
from workers.bridge.reading.events import Event, parse
from workers.watching.telemetry import log

#: Frames that are read before others have a turn.
TURN = 100


class Hearing:
    """The connection of one channel, and those that follow it without a pause.

    `connect` opens another one; where it cannot, it raises `NotConnected`.
    """

    def __init__(
        self,
        line: Connection,
        connect: Callable[[], Awaitable[Connection]],
        track: Track,
        means: Means,
    ) -> None:
        self._line = line
        self._connect = connect
        self._track = track
        self._means = means
        self._since = _now()
        self._is_steady = False

    async def listen(self) -> str:
        """Hear everything; return why there is nothing more to hear.

        Raises `BrokerAway`: what was heard and is not on the broker is missed then.
        """
        while (batch := await self._line.take()) is not None:
            await self._carry(batch)
            if "revoked" in batch.notices:
                return "revoked"
            if "closing" in batch.notices:
                await self._hand_over()
        ending = self._line.ending or "dropped"
        if ending == "too large":
            self._means.intake.unreadable(self._means.tenant, SOURCE, ending)
        return ending

    async def end(self) -> None:
        """Leave."""
        await self._line.close()

    async def _carry(self, batch: Batch) -> None:
        if batch.frames:
            await self._means.intake.take(self._means.tenant, await self._read(batch.frames))
        await self._track.move(batch.at)
        if not self._is_steady and _now() - self._since >= self._means.timing.steady:
            self._is_steady = True
            await self._means.pace.succeeded()

    async def _read(self, frames: tuple[Frame, ...]) -> list[Event]:
        events, received = [], datetime.now(UTC)
        for number, frame in enumerate(frames, 1):
            try:
                events.append(parse(frame, SOURCE, received))
            except UnreadableEvent as error:
                self._means.intake.unreadable(self._means.tenant, SOURCE, error.reason)
            if number % TURN == 0:
                await asyncio.sleep(0)
        return events

    async def _hand_over(self) -> None:
        """Go on by another connection, opened while this one is still there and heard to its end.

        Where none can be opened, this one is heard for as long as it lasts.
        """
        try:
            line = await self._connect()
        except NotConnected as error:
            log.info("bridge.not_handed_over", tenant=self._means.tenant, reason=str(error))
            return
        old, self._line = self._line, line
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._means.timing.handover):
                    while (batch := await old.take()) is not None:
                        await self._carry(batch)
        finally:
            await old.close()
        self._means.metrics.reconnects(self._means.tenant)
        await self._track.resume(line.opened, "closing")


def _now() -> float:
    return asyncio.get_running_loop().time()
