"""A notification service in memory, as strict as the real one about topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tasks.apis.notifications import (
    MOST_CHANNELS,
    MOST_TOPICS,
    AvailableTopic,
    Channel,
    TopicState,
)
from tasks.errors import ApiError, BadRequest, NotFound, OutcomeUnknown

T = TypeVar("T")
WHERE = {"system": "genesys", "method": "PUT", "route": "/subscriptions"}


@dataclass(kw_only=True)
class ChannelService:
    """Implements `Notifications`. A topic that is none has its whole batch refused."""

    unknown: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    #: What it tells of the topics that there are; None where it does not answer that.
    available: Sequence[AvailableTopic] | None = ()
    channels: dict[str, list[str]] = field(default_factory=dict)
    #: The sizes of the batches that it was asked for.
    batches: list[int] = field(default_factory=list)
    made: int = 0

    def create_channel(self) -> Channel:
        if len(self.channels) >= MOST_CHANNELS:
            del self.channels[next(iter(self.channels))]
        self.made += 1
        channel_id = f"channel-{self.made}"
        self.channels[channel_id] = []
        expires = datetime.now(UTC) + timedelta(days=1)
        return Channel(id=channel_id, connect_uri=f"wss://host/{channel_id}", expires=expires)

    def channels_in_use(self) -> int:
        return len(self.channels)

    def is_alive(self, channel_id: str) -> bool:
        return channel_id in self.channels

    def subscribe(
        self, channel_id: str, topics: Collection[str], *, add: bool = False
    ) -> Sequence[TopicState]:
        self.batches.append(len(topics))
        if channel_id not in self.channels:
            raise NotFound(status=404, **WHERE)
        kept = self.channels[channel_id] if add else []
        if self.unknown.intersection(topics):
            raise refusal("notification.invalid.topic")
        if len({*kept, *topics}) > MOST_TOPICS:
            raise refusal("notification.subscription.too.many.subscriptions")
        states = [_state(each, each not in self.forbidden) for each in topics]
        permitted = [each.topic for each in states if each.permitted]
        self.channels[channel_id] = list(dict.fromkeys([*kept, *permitted]))
        return states

    def available_topics(self) -> Sequence[AvailableTopic]:
        if self.available is None:
            raise OutcomeUnknown(status=503, **WHERE)
        return self.available

    async def ask(self, question: Callable[..., T]) -> T:
        """Implements `Ask`."""
        return question(self)


def refusal(code: str) -> ApiError:
    return BadRequest(status=400, code=code, **WHERE)


def _state(topic: str, permitted: bool) -> TopicState:
    missing = () if permitted else ("conversation:communication:view",)
    return TopicState(
        topic=topic, permitted=permitted, reason="" if permitted else "No.", missing=missing
    )
