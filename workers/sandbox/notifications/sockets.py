"""The WebSocket of a channel: events one way, pings the other, and several ways to end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from workers.sandbox.notifications.events import Emitted
from workers.sandbox.notifications.topics import METADATA, SYSTEM
from workers.sandbox.timeline import Timeline
from workers.sandbox.wire import decode, encode

#: How often an open socket looks at the clock: nothing else does between two requests.
PULSE_SECONDS = 0.02
GOING_AWAY = 1001


@dataclass(kw_only=True)
class Socket:
    """One connection, from its opening to its end; what waits in it when it ends is lost."""

    channel_id: str
    timeline: Timeline
    heartbeat_seconds: float
    #: After how many events it is dropped, if it is to be.
    drop_after: int | None = None
    #: An open connection that carries nothing.
    mute: bool = False
    sent: int = 0
    #: Why it ended, "" while it is open.
    reason: str = ""
    _code: int | None = None
    _waiting: deque[Emitted | str] = field(default_factory=deque, repr=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def send(self, emitted: Emitted) -> None:
        """Send an event."""
        self._put(emitted)

    def tell(self, topic: str, body: Mapping[str, Any]) -> None:
        """Send what the service itself has to say."""
        self._put(encode({"topicName": topic, "eventBody": body}).decode())

    def tell_system(self, kind: str, topic: str, **body: Any) -> None:
        """Send a message of `v2.system.`."""
        said = {"channelId": self.channel_id, "systemTopicType": kind, **body}
        self.tell(f"{SYSTEM}{topic}", said)

    def announce_closing(self, at: float, notice_seconds: float) -> None:
        """Say at a moment that it will be closed, and close it when the notice is over."""

        def announce(now: float) -> None:
            message = f"The socket will be closed in {notice_seconds:g} seconds."
            self.tell_system("socket_closing", "socket_closing", message=message)
            self.timeline.schedule(now + notice_seconds, lambda _: self.close("closing"))

        self.timeline.schedule(at, announce)

    def close(self, reason: str = "closed") -> None:
        """Close it in good order, once what waits has been sent."""
        self._end(reason, GOING_AWAY)

    def drop(self) -> None:
        """Cut the connection without a word; what was written still arrives."""
        self._waiting.clear()
        self._end("dropped", None)

    def silence(self) -> None:
        """Carry nothing any more, and stay open."""
        self._waiting.clear()
        self.mute = True

    async def converse(self, request: web.Request) -> web.StreamResponse:
        """Carry the connection until it ends."""
        # Before the client hears that it is connected: the clock may be moved from then on.
        self.timeline.schedule(self.timeline.advance() + self.heartbeat_seconds, self._beat)
        response = web.WebSocketResponse()
        try:
            await response.prepare(request)
            await self._carry(response)
        except ConnectionError:
            self._end("lost", None)
        finally:
            self._end("stopped", None)
        if self._code is not None:
            await response.close(code=self._code)
        elif request.transport is not None:
            request.transport.close()
        return response

    async def _carry(self, response: web.WebSocketResponse) -> None:
        reading = asyncio.create_task(self._read(response))
        try:
            await self._write(response)
        finally:
            reading.cancel()

    async def _read(self, response: web.WebSocketResponse) -> None:
        async for message in response:
            if message.type is WSMsgType.TEXT and _is_ping(message.data):
                self.tell(METADATA, {"message": "pong"})
        self._end("left", GOING_AWAY)

    async def _write(self, response: web.WebSocketResponse) -> None:
        while True:
            self.timeline.advance()
            await self._flush(response)
            if self.sent == self.drop_after:
                self.drop()
            if self.reason:
                return
            try:
                await asyncio.wait_for(self._wake.wait(), PULSE_SECONDS)
            except TimeoutError:
                continue
            self._wake.clear()

    async def _flush(self, response: web.WebSocketResponse) -> None:
        while self._waiting and self.sent != self.drop_after:
            message = self._waiting.popleft()
            if isinstance(message, str):
                await response.send_str(message)
            else:
                await response.send_str(message.text)
                message.sent_to.append(self.channel_id)
                self.sent += 1

    def _beat(self, at: float) -> None:
        if not self.reason:
            self.tell(METADATA, {"message": "WebSocket Heartbeat"})
            self.timeline.schedule(at + self.heartbeat_seconds, self._beat)

    def _put(self, message: Emitted | str) -> None:
        if not (self.reason or self.mute):
            self._waiting.append(message)
            self._wake.set()

    def _end(self, reason: str, code: int | None) -> None:
        if not self.reason:
            self.reason, self._code = reason, code
            self._wake.set()


def _is_ping(text: str) -> bool:
    try:
        return bool(decode(text.encode()) == {"message": "ping"})
    except ValueError:
        return False
