"""Events as they arrive, an intake that keeps what it puts, and a receiver to send them to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
from pydantic import SecretStr

from tasks.errors import BrokerAway
from workers.bridge.intake import Intake, Puts
from workers.bridge.judging.matching import Wanted
from workers.bridge.judging.occurrences import Occurrence
from workers.bridge.judging.rules import default_rules
from workers.bridge.publishing.once import Put
from workers.bridge.receiving import http_server
from workers.bridge.receiving.http_server import Address
from workers.bridge.receiving.receiver import SECRET_HEADER, Receiver
from workers.bridge.settings import BridgeSettings
from workers.bridge.watching.metrics import BridgeMetrics
from workers.embedded.loopback import HOST

SECRET = "a secret that nobody guesses"
SOURCE = "aws.partner/genesys.com/cloud/0d1f2c3b"
SETTINGS = BridgeSettings(secret=SecretStr(SECRET))
NOW = datetime(2026, 3, 19, 22, 4, 48, tzinfo=UTC)

_conversations = count(1)


def left(conversation: str | None = None, *, at: datetime = NOW, **body: Any) -> dict[str, Any]:
    """Return the notification that a customer has left a conversation, by default another one."""
    name = conversation or f"conversation-{next(_conversations)}"
    return {
        "topicName": f"v2.detail.events.conversation.{name}.customer.end",
        "version": "2",
        "eventBody": {
            "eventTime": round(at.timestamp() * 1000),
            "conversationId": name,
            "mediaType": "MESSAGE",
            **body,
        },
        "metadata": {"CorrelationId": f"request-{name}"},
    }


def enveloped(detail: Mapping[str, Any], source: str = f"{SOURCE}/bus") -> dict[str, Any]:
    """Return a notification as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "3f2c1d4e",
        "detail-type": "v2.detail.events.conversation.{id}.customer.end",
        "source": source,
        "time": "2026-03-19T22:04:48Z",
        "detail": detail,
    }


@dataclass
class Shelf:
    """Puts messages on a shelf, once each; `away` is a broker that is not there."""

    put_on: list[Wanted] = field(default_factory=list)
    away: bool = False
    #: Where it is given, nothing is put until it is set.
    gate: asyncio.Event | None = None
    _known: set[Occurrence] = field(default_factory=set)

    async def put(self, wanted: Sequence[Wanted]) -> list[Put]:
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise BrokerAway("the broker takes no messages: ConnectionError")
        return [self._put(each) for each in wanted]

    def _put(self, wanted: Wanted) -> Put:
        if wanted.occurrence in self._known:
            return "duplicate"
        self._known.add(wanted.occurrence)
        self.put_on.append(wanted)
        return "new"

    @property
    def subjects(self) -> Counter[str]:
        """What its messages are about: conversations, here."""
        return Counter(each.message.arguments()["interaction_id"] for each in self.put_on)


def intake(
    publisher: Puts,
    metrics: BridgeMetrics | None = None,
    clock: Callable[[], datetime] = lambda: NOW + timedelta(seconds=1),
    tenants: Sequence[str] = ("acme", "other"),
) -> Intake:
    """Return an intake with the shipped rules."""
    rules = default_rules()
    return Intake(
        rules=dict.fromkeys(tenants, rules),
        publisher=publisher,
        metrics=metrics or BridgeMetrics(rules.topics()),
        clock=clock,
    )


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until `holds` answers something true, while others have their turn."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.001)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a receiver has answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A receiver that listens, and how to reach it."""

    session: aiohttp.ClientSession
    port: int

    async def post(self, tenant: str, body: Any, **headers: str) -> Answer:
        """Send a body, as JSON unless it is bytes or a stream; with the secret unless told."""
        data = json.dumps(body) if isinstance(body, dict | list) else body
        shown = headers or {SECRET_HEADER: SECRET}
        return await self.ask("POST", f"/events/{tenant}", data=data, headers=shown)

    @asynccontextmanager
    async def dialed(
        self, sent: bytes = b""
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a bare connection, over which `sent` is sent."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(sent)
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, path, **options) as answer:
            return Answer(
                status=answer.status, headers=dict(answer.headers), body=await answer.read()
            )


@asynccontextmanager
async def reached(receiver: Receiver, **options: Any) -> AsyncIterator[Reached]:
    """Serve a receiver on a free port of this machine."""
    at = Address(host=HOST, port=0)
    async with (
        http_server.listening(receiver.application(), at, **options) as port,
        aiohttp.ClientSession(
            f"http://{HOST}:{port}", connector=aiohttp.TCPConnector(limit=0)
        ) as session,
    ):
        yield Reached(session=session, port=port)
