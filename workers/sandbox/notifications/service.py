"""The service: makes channels, lets events out to those who listen, and remembers them."""

from __future__ import annotations

import random
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workers.sandbox.notifications.channels import Channel, Channels
from workers.sandbox.notifications.events import Emitted, Event
from workers.sandbox.notifications.sockets import Socket
from workers.sandbox.oauth import Token
from workers.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from workers.sandbox.notifications.stream import Stream

#: How many events are remembered.
MOST_EVENTS = 200_000


class Notifications:
    """What happens in all organisations, and who hears of it."""

    def __init__(self, timeline: Timeline, rng: random.Random) -> None:
        self._timeline = timeline
        self._rng = rng
        self.channels = Channels()
        self.emitted: deque[Emitted] = deque(maxlen=MOST_EVENTS)
        self.stream: Stream | None = None
        self._seen = 0

    def make_channel(
        self, *, organization: str, client: str, token: Token, url: str, now: float, seconds: float
    ) -> Channel:
        """Add a channel that lives for `seconds`; one of the client's may have to go for it.

        `url` is where channels of that id are connected to, with a slash at its end.
        """
        channel_id = f"streaming-0-{self._id()}"
        channel = Channel(
            id=channel_id,
            organization=organization,
            client=client,
            token=token,
            connect_uri=f"{url}{channel_id}",
            expires=now + seconds,
            used=now,
        )
        if evicted := self.channels.add(channel):
            self.end_channel(evicted, "evicted")
        self._timeline.schedule(channel.expires, lambda at: self._expire(channel, at))
        return channel

    def emit(self, organization: str, events: Iterable[Event]) -> None:
        """Send events out: to the open sockets of channels that subscribed them, and no others."""
        for event in events:
            self.emit_one(organization, event)

    def emit_one(self, organization: str, event: Event) -> Emitted:
        """Send an event out under ids of its own."""
        return self._emit(organization, event, self._id(), self._id())

    def emit_again(self, emitted: Emitted) -> None:
        """Send an event out once more, under the ids that it has."""
        self._emit(emitted.organization, emitted.event, emitted.id, emitted.correlation)

    def open_socket(self, channel: Channel, socket: Socket, now: float) -> None:
        """Let a channel be heard through a socket; the one that it had is closed."""
        if channel.socket:
            channel.socket.close("replaced")
        channel.socket, channel.used = socket, now

    def forget_socket(self, channel: Channel, socket: Socket) -> None:
        """A socket has ended; the channel may have another by then."""
        if channel.socket is socket:
            channel.socket = None

    def sockets(self) -> list[tuple[Channel, Socket]]:
        """The sockets that are open, with their channels."""
        return [(each, each.socket) for each in self.channels if each.socket]

    def hang_up(self) -> None:
        """Drop every socket."""
        for _, socket in self.sockets():
            socket.drop()

    def summary(self) -> dict[str, object]:
        """How many events there were, and how many occurrences of each kind they told."""
        told = {each.occurrence for each in self.emitted}
        kinds = Counter(each.partition(":")[0] for each in told)
        return {"events": self._seen, "occurrences": dict(sorted(kinds.items()))}

    def _emit(self, organization: str, event: Event, event_id: str, correlation: str) -> Emitted:
        self._seen += 1
        emitted = Emitted(
            seq=self._seen,
            id=event_id,
            correlation=correlation,
            organization=organization,
            event=event,
        )
        self.emitted.append(emitted)
        for channel in self.channels.hearing(organization, emitted.topic):
            if channel.socket:
                channel.socket.send(emitted)
        return emitted

    def end_channel(self, channel: Channel, reason: str) -> None:
        """Take a channel away from its client, and say so where it is heard."""
        self.channels.remove(channel)
        if channel.socket:
            topic = f"no_longer_subscribed.{channel.id}"
            channel.socket.tell_system("no_longer_subscribed", topic)
            channel.socket.close(reason)

    def _expire(self, channel: Channel, at: float) -> None:
        if channel.expires > at:
            self._timeline.schedule(channel.expires, lambda then: self._expire(channel, then))
        elif self.channels.find(channel.id) is channel:
            self.end_channel(channel, "expired")

    def _id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
