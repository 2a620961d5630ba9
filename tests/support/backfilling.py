"""A backfill of the tenant `default` towards a sandbox and a real Redis, cranked by hand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.cluster import Cluster
from tests.support.tenants import tenants_file
from workers.app import Services
from workers.bridge.backfilling.backfill import Backfill
from workers.bridge.backfilling.patience import Patience
from workers.bridge.backfilling.recovery import Recovery
from workers.bridge.intake import Intake, Taken
from workers.bridge.judging import rules
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.reading.events import Event, Source, parse
from workers.bridge.settings import BridgeSettings
from workers.bridge.state.backoff import Waits
from workers.bridge.state.gaps import Gap, Gaps
from workers.bridge.watching.metrics import BridgeMetrics
from workers.store import Store

TENANT = "default"


class Ahead(Store):
    """A store whose clock is so many seconds ahead."""

    seconds: float = 0.0

    def now(self) -> float:
        return super().now() + self.seconds


def ahead(services: Services, seconds: float) -> Ahead:
    """Return the services' store with another clock."""
    store = Ahead(redis=services.store.redis)
    object.__setattr__(store, "seconds", seconds)
    return store


@dataclass
class Slept:
    """Sleeps without taking time: what would be over by then, `over` is called for."""

    over: Callable[[], object] = lambda: None
    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        assert len(self.seconds) < 50, "it waits for ever"
        self.over()


@dataclass(kw_only=True)
class Site:
    """The services of a bridge's process, and what its tenant's queues hold."""

    services: Services
    metrics: BridgeMetrics = field(default_factory=BridgeMetrics)
    sleep: Callable[[float], Awaitable[None]] = field(default_factory=Slept)

    @property
    def settings(self) -> BridgeSettings:
        settings = self.services.tenants[TENANT].bridge
        assert settings is not None
        return settings

    @property
    def gaps(self) -> Gaps:
        return Gaps(store=self.services.store, tenant=TENANT)

    def gap(self, start: datetime, end: datetime, reason: str = "connection lost") -> Gap:
        return self.gaps.open(start.timestamp(), end.timestamp(), reason)

    def fill(self, **options: Any) -> float:
        """Let a backfill that is made now do what is due, and return what it then waits for."""
        return asyncio.run(self.filled(**options))

    async def filled(self, **options: Any) -> float:
        async with Publisher(self.services) as publisher:
            return await self.backfill(publisher, **options).fill()

    def backfill(self, publisher: Publisher, *, intake: Any = None, clock: float = 0.0) -> Backfill:
        """Return a backfill whose clock is so many seconds ahead."""
        return Backfill(
            tenant=TENANT,
            settings=self.settings,
            gaps=Gaps(store=ahead(self.services, clock), tenant=TENANT),
            recovery=self.recovery(),
            intake=intake or self.intake(publisher),
            metrics=self.metrics,
            waits=Waits(first=0.01, longest=0.02),
        )

    def recovery(self) -> Recovery:
        patience = Patience(self.services, TENANT, self.sleep)
        return Recovery(patience, self.services.tenants[TENANT], self.settings, self._rules)

    def intake(self, publisher: Publisher) -> Intake:
        return Intake(rules={TENANT: self._rules}, publisher=publisher, metrics=self.metrics)

    def take(self, *notifications: dict[str, Any], source: Source = "websocket") -> Taken:
        """Take events that were heard live."""
        events = [parse(json.dumps(each), source) for each in notifications]
        return asyncio.run(self._take(events))

    async def _take(self, events: Sequence[Event]) -> Taken:
        async with Publisher(self.services) as publisher:
            return await self.intake(publisher).take(TENANT, events)

    @property
    def _rules(self) -> rules.RuleSet:
        return rules.chosen(self.settings.rules)

    def redacted(self) -> Counter[str]:
        """Return the interactions that messages ask to redact."""
        return Counter(each["interaction_id"] for each in self.messages("redact"))

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Return the arguments of the messages on a queue, the oldest first."""
        stored: Any = self.services.store.redis.lrange(queue, 0, -1)
        bodies = [base64.b64decode(json.loads(each)["body"]) for each in reversed(stored)]
        return [json.loads(body)[1] for body in bodies]


def site(cluster: Cluster, table: dict[str, Any]) -> Site:
    """Return a site of the cluster whose one tenant is `table`."""
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **{TENANT: table})
    return Site(services=cluster.app().services)


def now() -> datetime:
    """Return the moment, in whole milliseconds."""
    found = datetime.now(UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)
