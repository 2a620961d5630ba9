"""The notification seam: channels of a client, and the topics that they listen to.

Both contracts have it. Every verb may raise the `ApiError` of its answer or `Postponed`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tasks import errors

#: How many channels a client may have, over all of its tokens; one more takes another's place.
MOST_CHANNELS = 20
#: How many topics a channel may listen to.
MOST_TOPICS = 1_000
#: The codes by which a whole batch is refused for one of its topics, whichever that is.
ABOUT_A_TOPIC = frozenset(
    {
        "notification.invalid.topic",
        "notification.transport.not.allowed",
        "notification.forbidden.topic",
        "notification.unauthorized.topic",
        "notification.unauthorized.divisioned.topic",
    }
)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel that was made; whoever knows its `connect_uri` may listen."""

    id: str
    connect_uri: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """What came of a topic that was to be subscribed.

    `reason` is the vendor's sentence, which may name ids, or a code; `missing` are permissions.
    """

    topic: str
    permitted: bool
    reason: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AvailableTopic:
    """A kind of topic that exists: with `{id}` and the like in it."""

    template: str
    transports: frozenset[str] = frozenset()
    permissions: tuple[str, ...] = ()

    @property
    def by_channel(self) -> bool:
        """Whether a channel may listen to such topics."""
        return not self.transports or bool(self.transports & {"All", "Websocket"})


class Notifications(Protocol):
    """The notification service as one client knows it."""

    def create_channel(self) -> Channel:
        """Make a channel. Where the client has `MOST_CHANNELS`, one of them goes for it."""
        ...

    def channels_in_use(self) -> int:
        """Return how many channels the client has, whoever made them."""
        ...

    def is_alive(self, channel_id: str) -> bool: ...

    def subscribe(
        self, channel_id: str, topics: Collection[str], *, add: bool = False
    ) -> Sequence[TopicState]:
        """Let a channel listen to `topics` alone, or to them too, and live as long as a new one.

        Returns what came of each of `topics`, in their order. Raises `NotFound` where the channel
        is gone, and an error of which `is_about_a_topic` where one of them has all of them refused:
        the channel then listens to what it did.
        """
        ...

    def available_topics(self) -> Sequence[AvailableTopic]: ...


def is_about_a_topic(error: errors.ApiError) -> bool:
    """Return whether a batch was refused for one of its topics."""
    return error.code in ABOUT_A_TOPIC
