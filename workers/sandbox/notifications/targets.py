"""Targets of Amazon EventBridge: API destinations to which every event is pushed over HTTP.

An event is delivered at least once, and in no order. As the vendor has it, one that is not answered
within five seconds, or with 401, 407, 409, 429 or 5xx, is delivered again after a while that grows,
and no sooner than a `Retry-After` says; after any other answer than 2xx it is given up.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any

import aiohttp
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    StringConstraints,
)

from workers.sandbox.notifications.events import Contract, Emitted
from workers.sandbox.notifications.sockets import PULSE_SECONDS
from workers.sandbox.timeline import Timeline

AGAIN = frozenset({401, 407, 409, 429})
#: What a delivery without an answer is counted under.
NO_ANSWER = 0
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Amazon/EventBridge/ApiDestinations",
}
_Share = Annotated[float, Field(ge=0, le=1)]


class TargetPlan(BaseModel):
    """Where events go, which of them, and how untidily."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
    #: The header that carries the secret.
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")] = "X-Bridge-Secret"
    secret: SecretStr
    #: Of one contract alone, and of topics that fit one of the patterns, themselves or by their
    #: templates (`*` for any text), as a rule of EventBridge has them.
    contract: Contract | None = None
    topics: tuple[str, ...] = ("*",)
    #: Shares of the events: that are delivered at all, that come twice, and that come up to
    #: `late_seconds` late.
    share: _Share = 1
    duplicates: _Share = 0
    reordered: _Share = 0
    late_seconds: NonNegativeFloat = 0.5
    #: Connections that are kept alive, and deliveries a second (None: as many as go).
    connections: PositiveInt = Field(default=16, le=256)
    rate: PositiveFloat | None = None
    timeout_seconds: PositiveFloat = 5
    #: How often one event is delivered at most, and how long is waited in between.
    attempts: PositiveInt = 186
    first_wait_seconds: NonNegativeFloat = 0.1
    longest_wait_seconds: NonNegativeFloat = 10
    seed: int = 7


@dataclass(slots=True)
class _Delivery:
    emitted: Emitted
    attempts: int = 0


class Target:
    """A target of one organisation, from its start until it is stopped."""

    def __init__(
        self, target_id: str, organization: str, plan: TargetPlan, timeline: Timeline
    ) -> None:
        self.id = target_id
        self._organization = organization
        self._plan = plan
        self._timeline = timeline
        self._rng = random.Random(plan.seed)
        self._owed: asyncio.Queue[_Delivery] = asyncio.Queue()
        self._answers: Counter[int] = Counter()
        self._waiting = self._delivered = self._retried = self._given_up = 0
        self._next = 0.0
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver; there has to be a loop for it."""
        self._running = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Deliver no more; what waits is lost."""
        if self._running:
            self._running.cancel()

    async def stopped(self) -> None:
        """Stop, and wait until its connections are closed."""
        self.stop()
        if self._running:
            await asyncio.wait((self._running,))

    def take(self, emitted: Emitted) -> None:
        """Owe the delivery of an event, or two of them, where it is one for this target."""
        plan, chance = self._plan, self._rng.random
        if self._wants(emitted) and (plan.share == 1 or chance() < plan.share):
            for _ in range(1 + (chance() < plan.duplicates)):
                self._waiting += 1
                late = chance() * plan.late_seconds if chance() < plan.reordered else 0
                self._owe(_Delivery(emitted), late)

    def render(self) -> Mapping[str, Any]:
        """What has become of the deliveries; `answers` counts them by status."""
        return {
            "id": self.id,
            "url": self._plan.url,
            "delivered": self._delivered,
            "retried": self._retried,
            "waiting": self._waiting,
            "givenUp": self._given_up,
            "answers": {str(status): count for status, count in sorted(self._answers.items())},
        }

    def _wants(self, emitted: Emitted) -> bool:
        plan, contract = self._plan, emitted.contract
        ours = emitted.organization == self._organization
        ours = ours and (contract is None or plan.contract in (None, contract))
        names = (emitted.template, emitted.topic)
        return ours and any(fnmatchcase(name, each) for each in plan.topics for name in names)

    def _owe(self, delivery: _Delivery, seconds: float) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._owed.put_nowait, delivery)
        else:
            self._owed.put_nowait(delivery)

    async def _run(self) -> None:
        plan = self._plan
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=plan.connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**_HEADERS, plan.header: plan.secret.get_secret_value()},
            timeout=aiohttp.ClientTimeout(total=plan.timeout_seconds),
            trust_env=False,
        )
        async with session, asyncio.TaskGroup() as group:
            for _ in range(plan.connections):
                group.create_task(self._deliver_all(session))
            group.create_task(self._look_at_the_clock())

    async def _look_at_the_clock(self) -> None:
        # Where no socket is open, nothing else does between two requests.
        while True:
            self._timeline.advance()
            await asyncio.sleep(PULSE_SECONDS)

    async def _deliver_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            delivery = await self._owed.get()
            await self._pace()
            status, wait = await self._deliver(session, delivery)
            self._answers[status] += 1
            if 200 <= status < 300:
                self._waiting -= 1
                self._delivered += 1
                delivery.emitted.sent_to.append(self.id)
            elif _may_be_repeated(status) and delivery.attempts < self._plan.attempts:
                self._retried += 1
                self._owe(delivery, max(wait, self._pause(delivery.attempts)))
            else:
                self._waiting -= 1
                self._given_up += 1

    async def _deliver(
        self, session: aiohttp.ClientSession, delivery: _Delivery
    ) -> tuple[int, float]:
        """Post an event and give the status, and for how long the other side wants to be left."""
        delivery.attempts += 1
        body = delivery.emitted.envelope_text.encode()
        try:
            async with session.post(self._plan.url, data=body, allow_redirects=False) as response:
                await response.read()
                return response.status, _seconds(response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError):
            return NO_ANSWER, 0

    async def _pace(self) -> None:
        if self._plan.rate:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next + 1 / self._plan.rate, now)
            await asyncio.sleep(self._next - now)

    def _pause(self, attempts: int) -> float:
        grown = self._plan.first_wait_seconds * 2.0 ** min(attempts - 1, 20)
        return min(grown, self._plan.longest_wait_seconds) * self._rng.uniform(0.5, 1)


def _may_be_repeated(status: int) -> bool:
    return status in AGAIN or status == NO_ANSWER or status >= 500


def _seconds(told: str) -> float:
    return float(told) if told.isascii() and told.isdigit() else 0
