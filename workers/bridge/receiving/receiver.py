"""The HTTP receiver: EventBridge's API destinations deliver events here, and others that know how.

    POST /events/TENANT   one event, or a JSON array of them, in either envelope
    GET  /health          200 where the bridge is ready, else 503
    GET  /health/live     200 for as long as the bridge's loop goes round
    GET  /metrics         for Prometheus

What a sender is told, and what EventBridge does about it (it waits 5 s for an answer, tries again
for 24 h after a 401, 429 or 5xx, and never after another 4xx):

    200   all of it is on the broker, or known already, or of no rule's interest
    400   what is named in `refused` is no event, or not this tenant's; the rest has been taken
    401   the secret is not the tenant's, or there is no such tenant: nobody is told which
    408   the body did not come whole in time
    413   longer than an event may be, or too many in one array
    503   the broker is away, or there is too much in hand already: nothing counts as taken

The secret comes in `X-Bridge-Secret`, or as `Authorization: Bearer …`. Health in detail and metrics
name the tenants: they are for whoever knows a secret, and for neighbours, that is for requests that
come from a private address and through no proxy.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientConnectionError, web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from tasks.errors import BrokerAway, UnreadableEvent
from workers.bridge.intake import TURN, Intake, check_origin
from workers.bridge.reading.events import MAX_EVENT_BYTES, Event, parse
from workers.bridge.receiving.http_server import NAME
from workers.bridge.receiving.room import Full, Room
from workers.bridge.receiving.shared_secrets import SharedSecrets
from workers.bridge.settings import BridgeSettings
from workers.bridge.watching.health import Health
from workers.bridge.watching.metrics import BridgeMetrics
from workers.bridge.watching.seldom import Seldom
from workers.watching.telemetry import describe, log

SECRET_HEADER = "X-Bridge-Secret"  # noqa: S105  # its name

#: Events in one array.
MOST_EVENTS = 1_000
#: What is refused is named so often at most.
MOST_NAMED = 10

#: Requests in hand at once, and the bytes of their bodies.
MOST_REQUESTS, MOST_BYTES = 256, 16 * MAX_EVENT_BYTES

#: Seconds for a body to come, and for its messages to be put on the broker.
BODY_SECONDS, PUT_SECONDS = 10.0, 4.0
#: Seconds in which nothing is tried where the broker was away, and until a sender may try again.
AWAY_SECONDS, RETRY_SECONDS = 1.0, 5
#: Seconds that a look at the bridge's health may take, and for which it is remembered.
LOOK_SECONDS, SEEN_SECONDS = 3.0, 1.0

_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")
_ARRAY = re.compile(rb"[ \t\r\n]*\[")
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Answered(Exception):
    """Raised where what a sender is told is known before its events are read."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(status, error)
        self.response = web.json_response({"error": error}, status=status, headers=headers)


@dataclass(kw_only=True)
class _Read:
    """The events of a body, and the places and reasons of what is none."""

    events: list[Event] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


class Receiver:
    """Takes events over HTTP for those of `tenants` that have a secret.

    `look` tells how the bridge is; `away_seconds` for how long nothing is tried where the broker
    was away.
    """

    def __init__(
        self,
        *,
        tenants: Mapping[str, BridgeSettings],
        intake: Intake,
        metrics: BridgeMetrics,
        look: Callable[[], Awaitable[Health]],
        room: Room | None = None,
        away_seconds: float = AWAY_SECONDS,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._sources = {name: settings.sources for name, settings in tenants.items()}
        self._secrets = SharedSecrets(
            {name: each.secret for name, each in tenants.items() if each.secret is not None}
        )
        self._intake = intake
        self._metrics = metrics
        self._look = look
        self._room = room or Room(requests=MOST_REQUESTS, size=MOST_BYTES)
        self._away_seconds = away_seconds
        self._body_seconds = body_seconds
        self._away_until = 0.0
        self._seldom = Seldom()
        self._looking = asyncio.Lock()
        self._seen: tuple[float, Health] | None = None

    def application(self) -> web.Application:
        """Return it as an aiohttp application, to be served by `http_server.listening`."""
        app = web.Application()
        app.router.add_post("/events/{tenant}", self._answering(self._take))
        app.router.add_get("/health", self._answering(self._tell_health))
        app.router.add_get("/health/live", self._answering(self._tell_life))
        app.router.add_get("/metrics", self._answering(self._tell_metrics))
        app.on_response_prepare.append(self._finish)
        return app

    def _answering(
        self, handle: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                return await handle(request)
            except _Answered as answered:
                return answered.response
            except (web.HTTPException, ConnectionError, ClientConnectionError):
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, the bridge goes on
                log.error("bridge.fault", error=describe(error))
                return web.json_response({"error": "a fault of ours"}, status=500)

        return answer

    async def _finish(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = NAME
        self._metrics.answered(response.status)

    async def _take(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        if not self._secrets.admit(tenant, _shown(request)):
            raise self._stranger("unknown secret")
        if asyncio.get_running_loop().time() < self._away_until:
            raise _away()
        try:
            with self._room.share() as share:
                body = await self._body(tenant, request, share.take)
                return await self._taken(tenant, await self._read(tenant, body))
        except Full:
            self._seldom.info("bridge.receiver_full")
            raise _Answered(503, "too much in hand", **{"Retry-After": "1"}) from None

    async def _taken(self, tenant: str, read: _Read) -> web.Response:
        try:
            taken = await self._intake.take(tenant, read.events, within=PUT_SECONDS)
        except BrokerAway:
            self._away_until = asyncio.get_running_loop().time() + self._away_seconds
            raise _away() from None
        told: dict[str, Any] = {
            "taken": taken.events,
            "enqueued": taken.enqueued,
            "duplicates": taken.duplicates,
        }
        if not read.refused:
            return web.json_response(told)
        named = [{"index": at, "reason": reason} for at, reason in read.refused[:MOST_NAMED]]
        told |= {"error": f"{len(read.refused)} refused", "refused": named}
        return web.json_response(told, status=400)

    async def _body(
        self, tenant: str, request: web.Request, take_room: Callable[[int], None]
    ) -> bytes:
        announced = request.content_length or 0
        if announced > MAX_EVENT_BYTES:
            raise self._too_large(tenant)
        # What there will be no room for is not even read.
        take_room(announced)
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for part in request.content.iter_any():
                    if len(body) + len(part) > MAX_EVENT_BYTES:
                        raise self._too_large(tenant)
                    body += part
                    if not announced:
                        take_room(len(part))
        except (TimeoutError, web.RequestPayloadError):
            raise _Answered(408, "the body did not come whole", Connection="close") from None
        return bytes(body)

    def _too_large(self, tenant: str) -> _Answered:
        self._intake.unreadable(tenant, "eventbridge", "too large")
        return _Answered(413, f"must be at most {MAX_EVENT_BYTES:,} bytes", Connection="close")

    async def _read(self, tenant: str, body: bytes) -> _Read:
        read = _Read()
        try:
            raws: Sequence[bytes | str] = _elements(body) if _ARRAY.match(body) else (body,)
        except UnreadableEvent as error:
            self._refuse(tenant, read, 0, error.reason)
            return read
        if len(raws) > MOST_EVENTS:
            raise self._too_large(tenant)
        for place, raw in enumerate(raws):
            self._read_one(tenant, read, place, raw)
            if place % TURN == TURN - 1:
                await asyncio.sleep(0)
        return read

    def _read_one(self, tenant: str, read: _Read, place: int, raw: bytes | str) -> None:
        try:
            event = parse(raw, "eventbridge")
            check_origin(event, self._sources[tenant])
        except UnreadableEvent as error:
            self._refuse(tenant, read, place, error.reason)
        else:
            read.events.append(event)

    def _refuse(self, tenant: str, read: _Read, place: int, reason: str) -> None:
        self._intake.unreadable(tenant, "eventbridge", reason)
        read.refused.append((place, reason))

    async def _tell_life(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _tell_health(self, request: web.Request) -> web.Response:
        health = await self._health()
        told = health.document() if self._may_know(request) else {"ready": health.ready}
        return web.json_response({"live": True, **told}, status=200 if health.ready else 503)

    async def _health(self) -> Health:
        """Look at the bridge, or remember what was seen: many may ask at once."""
        loop = asyncio.get_running_loop()
        async with self._looking:
            if self._seen is None or loop.time() - self._seen[0] > SEEN_SECONDS:
                seen = Health(broker=False)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        seen = await self._look()
                self._seen = (loop.time(), seen)
            return self._seen[1]

    async def _tell_metrics(self, request: web.Request) -> web.Response:
        if not self._may_know(request):
            raise self._stranger("metrics are not for everybody")
        return web.Response(
            body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )

    def _may_know(self, request: web.Request) -> bool:
        return _is_neighbour(request) or self._secrets.know(_shown(request))

    def _stranger(self, reason: str) -> _Answered:
        self._seldom.info("bridge.request_refused", reason=reason)
        return _Answered(401, "unauthorized", **{"WWW-Authenticate": "Bearer"})


def _away() -> _Answered:
    return _Answered(503, "the broker is away", **{"Retry-After": str(RETRY_SECONDS)})


def _shown(request: web.Request) -> str:
    """Return the secret that a request shows, `""` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return request.headers.get(SECRET_HEADER) or (token if scheme.lower() == "bearer" else "")


def _is_neighbour(request: web.Request) -> bool:
    try:
        private = ipaddress.ip_address(request.remote or "").is_private
    except ValueError:
        return False
    return private and not any(name in request.headers for name in _FORWARDED)


def _elements(body: bytes) -> Sequence[str]:
    """Return the elements of the JSON array in `body`, as they stand there.

    They are parsed on their own, so that one that is wrong spoils no other. Raises
    `UnreadableEvent`.
    """
    try:
        return _split(body.decode())
    except RecursionError:
        raise UnreadableEvent("nested too deeply") from None
    except ValueError:
        raise UnreadableEvent("not JSON") from None


def _split(text: str) -> Sequence[str]:
    found: list[str] = []
    place = _after_space(text, text.index("[") + 1)
    goes_on = not text.startswith("]", place)
    while goes_on:
        _, end = _DECODER.raw_decode(text, place)
        found.append(text[place:end])
        place = _after_space(text, end)
        if goes_on := text.startswith(",", place):
            place = _after_space(text, place + 1)
    if text[place:].strip() != "]":
        raise ValueError("goes on behind its end, or has none")
    return found


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
