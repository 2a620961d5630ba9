"""The WebSocket source of a tenant: all of its topics heard, for as long as this bridge leads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from tasks.errors import BrokerAway
from workers.bridge.listening.asking import Asking, in_thread
from workers.bridge.listening.channels import Channels
from workers.bridge.listening.means import TIMING, Means, Takes, Timing
from workers.bridge.listening.pace import Pace
from workers.bridge.listening.shard import Shard
from workers.bridge.listening.subscriptions import Rejections
from workers.bridge.listening.topics import Topics, shards
from workers.bridge.listening.track import Track
from workers.bridge.state.backoff import Backoff
from workers.bridge.state.gaps import Gaps
from workers.bridge.state.positions import Positions
from workers.bridge.watching.metrics import BridgeMetrics
from workers.watching.telemetry import log

if TYPE_CHECKING:
    from workers.app import Services

#: How many of the topics that no rule is for are named in a log line.
NAMED = 10
#: Why nothing was heard until a source runs.
START = "start"


class WebSocketSource:
    """Hears a tenant's topics by as many channels as they need."""

    def __init__(self, topics: Topics, means: Means) -> None:
        self._idle = topics.idle
        self._shards = {str(number): each for number, each in enumerate(shards(topics.wanted))}
        self._means = means

    @classmethod
    def of(
        cls,
        services: Services,
        tenant: str,
        topics: Topics,
        *,
        intake: Takes,
        metrics: BridgeMetrics,
        timing: Timing = TIMING,
    ) -> Self:
        """Return the source of a tenant that gives events to `intake`."""
        store = services.store
        means = Means(
            tenant=tenant,
            ask=Asking(services, tenant),
            intake=intake,
            channels=Channels(store=store, tenant=tenant, seal=services.seal),
            positions=Positions(store=store, tenant=tenant),
            gaps=Gaps(store=store, tenant=tenant),
            pace=Pace(Backoff(store=store, tenant=tenant, waits=timing.failed), apart=timing.apart),
            now=store.now,
            metrics=metrics,
            rejections=Rejections(tenant=tenant, metrics=metrics),
            timing=timing,
        )
        return cls(topics, means)

    @property
    def channels(self) -> int:
        """How many channels its topics take."""
        return len(self._shards)

    @property
    def connected(self) -> bool:
        """Whether all topics that are permitted are heard."""
        return len(self._means.heard) == len(self._shards)

    @property
    def connected_since(self) -> float | None:
        """Since when they are without a break, in epoch seconds; None while they are not."""
        return max(self._means.heard.values(), default=None) if self.connected else None

    @property
    def rejected(self) -> int:
        """How many topics may not be subscribed."""
        return self._means.rejections.count

    async def run(self) -> None:
        """Hear until cancelled, whatever happens; only one process may for a tenant at a time."""
        self._warn_of_idle()
        try:
            tracks = await self._when_there_is_a_broker()
            async with asyncio.TaskGroup() as group:
                for name, topics in self._shards.items():
                    shard = Shard(name, topics, tracks[name], self._means)
                    group.create_task(shard.run(), name=f"shard {name} of {self._means.tenant}")
                await asyncio.Event().wait()
        finally:
            self._means.rejections.clear()
            self._means.hears_no(*self._shards)

    async def _when_there_is_a_broker(self) -> dict[str, Track]:
        while True:
            try:
                return await in_thread(self._tracks)
            except BrokerAway:
                await asyncio.sleep(self._means.timing.broker)

    def _tracks(self) -> dict[str, Track]:
        """Return how far each shard was heard; what is new may have been in any other one.

        What a shard missed that there is no more is a gap.
        """
        means, held, now = self._means, self._means.positions.all(), self._means.now()
        for name in held.keys() - self._shards.keys():
            if held[name] < now:
                means.gaps.open(held[name], now, START)
            means.positions.forget(name)
        oldest = min(held.values(), default=None)
        return {name: Track(name, means, held.get(name, oldest)) for name in self._shards}

    def _warn_of_idle(self) -> None:
        if self._idle:
            log.warning(
                "bridge.topics_without_rule",
                tenant=self._means.tenant,
                count=len(self._idle),
                topics=list(self._idle[:NAMED]),
            )
