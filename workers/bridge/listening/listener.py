"""One WebSocket of a channel: what it carries, in batches, and how it ends.

It is read whether or not anybody is ready for a batch, until so much waits that reading has to wait
too. Then the service is held back, and what it sent by a moment may come much later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Literal

import aiohttp

from workers.bridge.listening.dialing import NotConnected, dial
from workers.bridge.reading.events import is_service_message

__all__ = ["Batch", "Connection", "NotConnected", "connect"]

#: How much may wait to be taken before reading waits: frames, and characters in them.
MOST_FRAMES = 2_000
MOST_CHARACTERS = 8 * 1024 * 1024

#: Seconds without a frame after which a connection counts as dead: heartbeats come every 30.
SILENCE = 35.0

#: No message of the service itself is longer.
LONGEST_SERVICE_MESSAGE = 65_536
PING = '{"message":"ping"}'

#: How a connection ended: by us, by a close frame, without one, in silence, by a frame too long.
Ending = Literal["left", "closed", "dropped", "silent", "too large"]
#: What the service says of the channel: that its socket is going to close, that it is no more.
Notice = Literal["closing", "revoked"]

NOTICES: Mapping[str, Notice] = {
    "socket_closing": "closing",
    "token_revoked": "revoked",
    "no_longer_subscribed": "revoked",
}

Frame = str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What has come since the last one, in order: frames that are no message of the service itself.

    By `at`, a moment of the clock, everything had come that the service had sent until then, but
    for what was on its way.
    """

    frames: tuple[Frame, ...] = field(repr=False)
    at: float
    notices: tuple[Notice, ...] = ()


async def connect(
    uri: str,
    *,
    silence: float = SILENCE,
    clock: Callable[[], float] = time.time,
    tls: SSLContext | bool = True,
    most_frames: int = MOST_FRAMES,
) -> Connection:
    """Open a WebSocket and begin to read it; the caller closes it. Raises `NotConnected`.

    It may be silent for `silence` seconds: after half of them the service is asked for a sign.
    `clock` gives the seconds that batches are stamped with.
    """
    session, socket = await dial(uri, tls)
    return Connection(session, socket, silence=silence, clock=clock, most_frames=most_frames)


class Connection:
    """An open WebSocket."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        *,
        silence: float,
        clock: Callable[[], float],
        most_frames: int,
    ) -> None:
        self.ending: Ending | None = None
        #: When it was opened: what is sent from then on comes.
        self.opened = clock()
        self._session = session
        self._socket = socket
        self._silence = silence
        self._clock = clock
        self._most_frames = most_frames
        self._frames: list[Frame] = []
        self._characters = 0
        self._notices: list[Notice] = []
        self._at = self.opened
        self._untaken = False
        self._pings = self._pongs = 0
        #: How many pongs have to come before what comes is new again; none while it is.
        self._caught_up_by = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def take(self) -> Batch | None:
        """Wait until something has come and return all of it; None once there is an `ending`."""
        await self._news.wait()
        if not self._untaken:
            if not self._reading.cancelled():
                self._reading.result()
            return None
        if self.ending is None:
            self._news.clear()
        return self._take()

    async def close(self) -> None:
        """End it, if it has not ended; what is untaken is lost."""
        if self.ending is None:
            self.ending = "left"
            self._news.set()
        self._reading.cancel()
        try:
            await asyncio.wait([self._reading])
            if self.ending == "left":
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._socket.close()
        finally:
            await self._session.close()

    def _take(self) -> Batch:
        batch = Batch(frames=tuple(self._frames), at=self._at, notices=tuple(self._notices))
        self._frames.clear()
        self._notices.clear()
        self._characters = 0
        self._untaken = False
        self._room.set()
        return batch

    async def _read(self) -> None:
        try:
            while self.ending is None:
                if self._is_full():
                    await self._hold_back()
                self._hear(await self._receive())
                self._untaken = True
                self._news.set()
        except TimeoutError:
            self.ending = "silent"
        except (aiohttp.ClientError, OSError):
            self.ending = "dropped"
        finally:
            self._news.set()

    def _is_full(self) -> bool:
        return len(self._frames) >= self._most_frames or self._characters >= MOST_CHARACTERS

    async def _hold_back(self) -> None:
        """Read nothing until there is room; the answer to a ping then ends what was held back."""
        self._room.clear()
        await self._room.wait()
        await self._ping()
        self._caught_up_by = self._pings

    async def _receive(self) -> aiohttp.WSMessage:
        """Return the next message. Raises `TimeoutError` where none came for too long."""
        try:
            return await self._socket.receive(self._silence / 2)
        except TimeoutError:
            # So long a silence is not that of somebody with a lot to say.
            self._caught_up_by = 0
            await self._ping()
            return await self._socket.receive(self._silence / 2)

    async def _ping(self) -> None:
        """Ask for a sign; what a connection has carried can be read when it takes nothing more."""
        self._pings += 1
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with asyncio.timeout(self._silence / 2):
                await self._socket.send_str(PING)

    def _hear(self, message: aiohttp.WSMessage) -> None:
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                self._keep(message.data)
                if self._pongs >= self._caught_up_by:
                    self._at = self._clock()
            case aiohttp.WSMsgType.CLOSE:
                self.ending = "closed"
            case aiohttp.WSMsgType.ERROR if _is_too_big(message.data):
                self.ending = "too large"
            case _:
                self.ending = "dropped"

    def _keep(self, frame: Frame) -> None:
        said = _said_by_service(frame)
        if said is None:
            self._frames.append(frame)
            self._characters += len(frame)
            return
        topic, body = said
        if isinstance(body, dict) and body.get("message") == "pong":
            self._pongs += 1
        kind = topic.removeprefix("v2.system.").partition(".")[0]
        if kind in NOTICES:
            self._notices.append(NOTICES[kind])


def _said_by_service(frame: Frame) -> tuple[str, Any] | None:
    """Return topic and body of a message of the service itself, None for any other frame."""
    if isinstance(frame, bytes) or len(frame) > LONGEST_SERVICE_MESSAGE:
        return None
    if "channel.metadata" not in frame and "v2.system." not in frame:
        return None
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    topic = message.get("topicName") if isinstance(message, dict) else None
    if not isinstance(topic, str) or not is_service_message(topic):
        return None
    return topic, message.get("eventBody")


def _is_too_big(error: object) -> bool:
    code = aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    return isinstance(error, aiohttp.WebSocketError) and error.code == code
