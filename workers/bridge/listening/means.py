"""What the shards of a tenant share: its API, where events go, what is remembered, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from workers.bridge.listening.asking import Ask
from workers.bridge.listening.channels import Channels
from workers.bridge.listening.listener import SILENCE
from workers.bridge.listening.pace import Pace
from workers.bridge.listening.subscriptions import Rejections
from workers.bridge.reading.events import Event, Source
from workers.bridge.state.backoff import Waits
from workers.bridge.state.gaps import Gaps
from workers.bridge.state.positions import Positions
from workers.bridge.watching.metrics import BridgeMetrics

SOURCE: Source = "websocket"

FAILED = Waits()
REFUSED = Waits(first=60.0, longest=900.0)
FAULT = Waits(first=5.0, longest=60.0)


class Takes(Protocol):
    """What events are given to: the intake."""

    async def take(self, tenant: str, events: Sequence[Event]) -> object:
        """Return once all that comes of the events is on the broker, or raise `BrokerAway`."""
        ...

    def unreadable(self, tenant: str, source: Source, reason: str) -> None:
        """Count and tell that something came in that is no event."""
        ...


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of several things."""

    #: For which a connection may carry nothing.
    silence: float = SILENCE
    #: After which a connection counts as a success.
    steady: float = 30.0
    #: Between two connections of a tenant.
    apart: float = 0.25
    #: For which the service may take to close a connection that another one has followed.
    handover: float = 10.0
    #: Between two notes of how far everything is on the broker.
    position: float = 1.0
    #: Between two looks whether the broker is back.
    broker: float = 1.0
    #: After which something is tried again: what failed, what was refused, what met a fault.
    failed: Waits = FAILED
    refused: Waits = REFUSED
    fault: Waits = FAULT


#: As a real service is heard.
TIMING = Timing()


@dataclass(frozen=True, kw_only=True)
class Means:
    """`now` gives the moment by the clock of Redis."""

    tenant: str
    ask: Ask
    intake: Takes
    channels: Channels
    positions: Positions
    gaps: Gaps
    pace: Pace
    now: Callable[[], float]
    metrics: BridgeMetrics
    rejections: Rejections
    timing: Timing = TIMING
    random: Random = field(default_factory=Random, repr=False)
    #: Channels are made one by one, so that no two take the last place.
    making: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    #: The shards that are heard, each since when.
    heard: dict[str, float] = field(default_factory=dict)

    def hears(self, shard: str, since: float) -> None:
        """Note that a shard is heard since a moment of the clock of Redis."""
        self.heard[shard] = since
        self.metrics.connected(self.tenant, len(self.heard))

    def hears_no(self, *shards: str) -> None:
        """Note that shards are not heard."""
        for shard in shards:
            self.heard.pop(shard, None)
        self.metrics.connected(self.tenant, len(self.heard))
