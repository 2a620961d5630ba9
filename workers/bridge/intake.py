"""The way of every event, from whichever source: judged by the rules, put on the broker, counted.

An event counts as taken only once everything that comes of it is on the broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tasks.errors import BrokerAway, UnreadableEvent
from workers.bridge.judging.matching import Judgement, Wanted, judge
from workers.bridge.judging.rules import RuleSet
from workers.bridge.publishing.once import Put
from workers.bridge.reading.events import Event, Source, is_service_message
from workers.bridge.watching.metrics import BridgeMetrics
from workers.bridge.watching.seldom import Seldom
from workers.watching.telemetry import log

#: Events that are judged before others have a turn.
TURN = 100


class Puts(Protocol):
    """What puts messages on the broker: the publisher."""

    async def put(self, wanted: Sequence[Wanted]) -> Sequence[Put]:
        """Put all of them, or raise `BrokerAway`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What has come of events that were taken; `dropped` and `unmatched` made no message."""

    events: int = 0
    enqueued: int = 0
    duplicates: int = 0
    dropped: int = 0
    unmatched: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            events=self.events + other.events,
            enqueued=self.enqueued + other.enqueued,
            duplicates=self.duplicates + other.duplicates,
            dropped=self.dropped + other.dropped,
            unmatched=self.unmatched + other.unmatched,
        )


def check_origin(event: Event, sources: Collection[str]) -> None:
    """Refuse an event whose EventBridge source begins with none of `sources`, where there are any.

    One that names no source is refused only where EventBridge delivered it. Raises
    `UnreadableEvent`.
    """
    if event.origin is None and event.source != "eventbridge":
        return
    if sources and not (event.origin or "").startswith(tuple(sources)):
        raise UnreadableEvent("foreign source")


class Intake:
    """Takes events for the tenants that `rules` names; `clock` gives the moment, in UTC."""

    def __init__(
        self,
        *,
        rules: Mapping[str, RuleSet],
        publisher: Puts,
        metrics: BridgeMetrics,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seldom: Seldom | None = None,
    ) -> None:
        self._rules = rules
        self._publisher = publisher
        self._metrics = metrics
        self._clock = clock
        self._seldom = seldom or Seldom()
        self._away = False

    async def take(
        self, tenant: str, events: Sequence[Event], *, within: float | None = None
    ) -> Taken:
        """Put on the broker what the tenant's rules want of `events`, and tell what that was.

        Raises `BrokerAway` where some of it is not there, or not `within` so many seconds: then the
        events have to come again, which is harmless. The notification service's own messages are
        passed over.
        """
        taking = [event for event in events if not is_service_message(event.topic)]
        for event in taking:
            self._metrics.received(tenant, event.source)
        judged = await self._judged(tenant, taking)
        puts = await self._put([wanted for each in judged for wanted in each.wanted], within)
        self._count(tenant, taking, judged)
        return self._counted(tenant, judged, puts)

    def unreadable(self, tenant: str, source: Source, reason: str) -> None:
        """Count and tell that something came in that is no event."""
        self._metrics.unreadable(tenant, source, reason)
        self._seldom.info("bridge.event_unreadable", tenant=tenant, source=source, reason=reason)

    async def _judged(self, tenant: str, events: Sequence[Event]) -> list[Judgement]:
        judged, rules, now = [], self._rules[tenant], self._clock()
        for number, event in enumerate(events, 1):
            judged.append(judge(event, rules, tenant, now))
            if number % TURN == 0:
                await asyncio.sleep(0)
        return judged

    async def _put(self, wanted: Sequence[Wanted], within: float | None) -> Sequence[Put]:
        if not wanted:
            return ()
        try:
            async with asyncio.timeout(within):
                puts = await self._publisher.put(wanted)
        except (BrokerAway, TimeoutError) as error:
            self._note_away(str(error) or "the broker does not answer")
            raise BrokerAway(str(error) or "the broker does not answer") from None
        self._note_there()
        return puts

    def _note_away(self, reason: str) -> None:
        self._metrics.broker_away()
        if not self._away:
            log.warning("bridge.broker_away", reason=reason)
        self._away = True

    def _note_there(self) -> None:
        self._metrics.broker_there()
        if self._away:
            log.info("bridge.broker_there")
        self._away = False

    def _count(self, tenant: str, events: Sequence[Event], judged: Sequence[Judgement]) -> None:
        now = self._clock()
        for event, judgement in zip(events, judged, strict=True):
            self._metrics.lag(tenant, event.source, (now - event.at).total_seconds())
            if not judgement.matched:
                self._metrics.unmatched(tenant, event.topic)
            for dropped in judgement.dropped:
                self._metrics.dropped(tenant, dropped.rule, dropped.reason.partition(":")[0])
                self._seldom.info(
                    "bridge.event_dropped", tenant=tenant, rule=dropped.rule, reason=dropped.reason
                )

    def _counted(
        self,
        tenant: str,
        judged: Sequence[Judgement],
        puts: Sequence[Put],
    ) -> Taken:
        wanted = [each for judgement in judged for each in judgement.wanted]
        for each, put in zip(wanted, puts, strict=True):
            count = self._metrics.enqueued if put == "new" else self._metrics.duplicate
            count(tenant, each.rule)
        enqueued = sum(put == "new" for put in puts)
        return Taken(
            events=len(judged),
            enqueued=enqueued,
            duplicates=len(puts) - enqueued,
            dropped=sum(len(judgement.dropped) for judgement in judged),
            unmatched=sum(not judgement.matched for judgement in judged),
        )
