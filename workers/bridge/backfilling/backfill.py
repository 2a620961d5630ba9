"""Fills gaps: what was missed while nothing was heard goes the way of every other event.

A gap is searched at once, and once more when it has settled, since searches lag behind what
happens; then it is closed. Whatever fails leaves it open, to be searched again from its start:
what has been put on the broker by then is a duplicate. Only the bridge that leads does it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Protocol

from tasks.apis.moments import iso
from tasks.errors import BrokerAway, Postponed
from workers.bridge.backfilling.recovery import Recovery
from workers.bridge.intake import Taken
from workers.bridge.judging.occurrences import digest
from workers.bridge.judging.rules import OLDEST
from workers.bridge.listening.asking import in_thread
from workers.bridge.reading.events import Event
from workers.bridge.settings import BridgeSettings
from workers.bridge.state.backoff import Waits
from workers.bridge.state.gaps import Gap, Gaps
from workers.bridge.watching.metrics import BridgeMetrics
from workers.policy import say
from workers.watching.telemetry import log

#: Seconds between two looks at the gaps, at most and at least.
PERIOD, SHORTEST = 2.0, 0.05

WAITS = Waits(first=5.0, longest=600.0)


class Takes(Protocol):
    """What takes events: the intake."""

    async def take(self, tenant: str, events: Sequence[Event]) -> Taken:
        """Take all of them, or raise `BrokerAway`."""
        ...


@dataclass(eq=False, kw_only=True)
class Stretch:
    """Gaps that are searched together, and what has come of it so far."""

    gaps: Sequence[Gap]
    searched: bool = False
    taken: Taken = field(default_factory=Taken)
    seconds: float = 0.0
    failures: int = 0
    #: By the clock of Redis.
    not_before: float = 0.0
    #: Chats that were read since, and what stands for each event that was taken.
    read: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(gap.id for gap in self.gaps)

    @property
    def start(self) -> float:
        return min(gap.start for gap in self.gaps)

    @property
    def end(self) -> float:
        return max(gap.end for gap in self.gaps)

    @property
    def facts(self) -> Mapping[str, str]:
        """What log lines say of it."""
        start, end = (iso(_utc(each)) for each in (self.start, self.end))
        reasons = sorted({gap.reason for gap in self.gaps})
        return {"start": start, "end": end, "reason": ", ".join(reasons)}

    def due(self, settle: float) -> float:
        """Return when it is to be searched next."""
        return max(self.not_before, self.end + settle if self.searched else 0.0)


class Backfill:
    """Fills the gaps of one tenant, for as long as `run` runs."""

    def __init__(
        self,
        *,
        tenant: str,
        settings: BridgeSettings,
        gaps: Gaps,
        recovery: Recovery,
        intake: Takes,
        metrics: BridgeMetrics,
        waits: Waits = WAITS,
        random: Random | None = None,
    ) -> None:
        self._tenant = tenant
        self._settings = settings
        self._gaps = gaps
        self._recovery = recovery
        self._intake = intake
        self._metrics = metrics
        self._waits = waits
        self._random = random or Random()
        self._stretches: list[Stretch] = []
        self._is_away = False
        #: How many gaps were open when they were looked at last.
        self.open_gaps = 0

    async def run(self) -> None:
        """Fill gaps as they come; it ends by being cancelled."""
        while True:
            await asyncio.sleep(await self.fill())

    async def fill(self) -> float:
        """Search what is due, and return the seconds until something may be again.

        No failure is raised: it is told, and what failed is due again later.
        """
        try:
            now = await self._look()
            for stretch in self._stretches:
                if stretch.due(self._settings.settle_seconds) <= now:
                    await self._fill(stretch, now)
        except Exception as error:  # noqa: BLE001  # the broker is away, or there is a fault
            if not self._is_away:
                self._say_failure(error, PERIOD)
            self._is_away = True
            return PERIOD
        self._is_away = False
        return self._next(now)

    async def _look(self) -> float:
        """See which gaps are open, and return the moment, by the clock of Redis."""
        waiting, now = await in_thread(self._waiting)
        self.open_gaps = len(waiting)
        self._metrics.open_gaps(self._tenant, self.open_gaps)
        open_ones = {gap.id for gap in waiting}
        self._stretches = [each for each in self._stretches if open_ones & each.ids]
        known = {name for each in self._stretches for name in each.ids}
        fresh = [gap for gap in waiting if gap.id not in known]
        for gaps in together(fresh, 2 * self._settings.margin_seconds):
            self._stretches.append(Stretch(gaps=gaps))
        return now

    def _waiting(self) -> tuple[Sequence[Gap], float]:
        return self._gaps.waiting(), self._gaps.store.now()

    def _next(self, now: float) -> float:
        settle = self._settings.settle_seconds
        due = min((each.due(settle) - now for each in self._stretches), default=PERIOD)
        return min(max(due, SHORTEST), PERIOD)

    async def _fill(self, stretch: Stretch, now: float) -> None:
        has_settled = stretch.end + self._settings.settle_seconds <= now
        if now - stretch.end > OLDEST.total_seconds():
            log.warning("bridge.gap_given_up", tenant=self._tenant, **stretch.facts)
            await self._close(stretch)
        elif await self._search(stretch, now) and has_settled:
            await self._close(stretch)

    async def _search(self, stretch: Stretch, now: float) -> bool:
        """Take what a stretch holds; return whether that went well. Raises `BrokerAway`."""
        began = time.monotonic()
        start, end = _utc(stretch.start), _utc(stretch.end)
        try:
            async with aclosing(self._recovery.events(start, end, stretch.read)) as batches:
                async for events in batches:
                    await self._take(stretch, events)
        except BrokerAway:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it was, the gap stays open
            self._try_again(stretch, error, now)
            return False
        finally:
            stretch.seconds += time.monotonic() - began
        stretch.searched, stretch.failures = True, 0
        return True

    async def _take(self, stretch: Stretch, events: Sequence[Event]) -> None:
        fresh = {digest([each.topic, each.body]): each for each in events}
        fresh = {name: each for name, each in fresh.items() if name not in stretch.told}
        if not fresh:
            return
        taken = await self._intake.take(self._tenant, [*fresh.values()])
        stretch.taken += taken
        stretch.told |= fresh.keys()
        self._metrics.backfilled(self._tenant, taken.enqueued)

    def _try_again(self, stretch: Stretch, error: Exception, now: float) -> None:
        stretch.failures += 1
        asked = error.wait if isinstance(error, Postponed) else None
        wait = self._waits.after(stretch.failures, self._random, asked)
        stretch.not_before = now + wait
        self._say_failure(error, wait, **stretch.facts)

    async def _close(self, stretch: Stretch) -> None:
        taken = stretch.taken
        for gap in stretch.gaps:
            await in_thread(
                self._gaps.close,
                gap,
                events=taken.events,
                messages=taken.enqueued,
                seconds=round(stretch.seconds, 3),
            )
        log.info(
            "bridge.gap_closed",
            tenant=self._tenant,
            **stretch.facts,
            events=taken.events,
            messages=taken.enqueued,
            duplicates=taken.duplicates,
            dropped=taken.dropped,
            seconds=round(stretch.seconds, 3),
        )

    def _say_failure(self, error: Exception, wait: float, **facts: str) -> None:
        log.warning(
            "bridge.backfill_failed",
            tenant=self._tenant,
            **facts,
            error=say(error),
            retry_in=round(wait, 1),
        )


def together(gaps: Collection[Gap], distance: float) -> Iterator[Sequence[Gap]]:
    """Yield gaps that are not further than `distance` from each other together."""
    found: list[Gap] = []
    for gap in sorted(gaps, key=lambda each: each.start):
        if found and gap.start - max(each.end for each in found) > distance:
            yield found
            found = []
        found.append(gap)
    if found:
        yield found


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
