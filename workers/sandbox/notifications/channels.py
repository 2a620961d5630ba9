"""Channels: what a client listens by, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.sandbox.notifications.events import Contract, Emitted
from workers.sandbox.oauth import Token

if TYPE_CHECKING:
    from workers.sandbox.notifications.sockets import Socket

MOST_CHANNELS = 20
MOST_TOPICS = 1_000


@dataclass(slots=True, kw_only=True)
class Channel:
    """One channel; moments are epoch seconds."""

    id: str
    organization: str
    #: Its client's.
    contract: Contract
    client: str
    #: With which it was made.
    token: Token
    connect_uri: str
    expires: float
    used: float
    topics: dict[str, None] = field(default_factory=dict)
    socket: Socket | None = None

    def hears(self, emitted: Emitted) -> bool:
        """Whether it has subscribed an event of its client's organisation and contract."""
        ours = emitted.organization == self.organization
        return ours and emitted.topic in self.topics and emitted.contract in (None, self.contract)


class Channels:
    """The channels of all clients, each with at most `MOST_CHANNELS` of them."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def find(self, channel_id: str) -> Channel | None:
        """The channel of that id, while it lives."""
        return self._channels.get(channel_id)

    def of(self, client: str) -> list[Channel]:
        """A client's channels, oldest first."""
        return [each for each in self if each.client == client]

    def add(self, channel: Channel) -> Channel | None:
        """Add a channel and return the one that had to go for it, if any.

        That is the one used longest ago, of those without a socket if there are any.
        """
        held, evicted = self.of(channel.client), None
        if len(held) >= MOST_CHANNELS:
            evicted = min(held, key=lambda each: (each.socket is not None, each.used))
            self.remove(evicted)
        self._channels[channel.id] = channel
        return evicted

    def remove(self, channel: Channel) -> None:
        """Forget a channel with its topics."""
        self._channels.pop(channel.id, None)

    def hearing(self, emitted: Emitted) -> Iterable[Channel]:
        """The channels that hear an event."""
        return [each for each in self if each.hears(emitted)]
