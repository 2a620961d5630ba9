"""The service: makes channels, lets events out to those who listen, and remembers them."""

from __future__ import annotations

import random
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from workers.sandbox.notifications.channels import Channel, Channels
from workers.sandbox.notifications.events import Contract, Emitted, Event
from workers.sandbox.notifications.sockets import Socket
from workers.sandbox.notifications.targets import Target, TargetPlan
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
        self.targets: dict[str, Target] = {}
        self._seen = self._targets_seen = 0
        self._counts: Counter[tuple[str, Contract | None]] = Counter()

    def make_channel(
        self,
        *,
        organization: str,
        contract: Contract,
        client: str,
        token: Token,
        url: str,
        now: float,
        seconds: float,
    ) -> Channel:
        """Add a channel that lives for `seconds`; one of the client's may have to go for it.

        `url` is where channels of that id are connected to, with a slash at its end.
        """
        channel_id = f"streaming-0-{self._id()}"
        channel = Channel(
            id=channel_id,
            organization=organization,
            contract=contract,
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

    def emit(
        self, organization: str, events: Iterable[Event], contract: Contract = "platform"
    ) -> None:
        """Send events out: to the open sockets of channels that subscribed them, and to targets."""
        for event in events:
            self.emit_one(organization, event, contract)

    def emit_one(self, organization: str, event: Event, contract: Contract | None) -> Emitted:
        """Send an event out under ids of its own."""
        emitted = Emitted(
            seq=self._next(),
            id=self._id(),
            correlation=self._id(),
            organization=organization,
            contract=contract,
            event=event,
        )
        self._emit(emitted)
        return emitted

    def emit_again(self, emitted: Emitted) -> None:
        """Send an event out once more, under the ids that it has."""
        self._emit(replace(emitted, seq=self._next(), sent_to=[]))

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

    def add_target(self, organization: str, plan: TargetPlan) -> Target:
        """Deliver what happens in an organisation from now on to a target, too."""
        self._targets_seen += 1
        target = Target(f"target-{self._targets_seen}", organization, plan, self._timeline)
        self.targets[target.id] = target
        target.start()
        return target

    def hang_up(self) -> None:
        """Drop every socket and stop every target."""
        for _, socket in self.sockets():
            socket.drop()
        for target in self.targets.values():
            target.stop()

    async def close(self) -> None:
        """Let go of all that runs for it."""
        self.hang_up()
        for target in self.targets.values():
            await target.stopped()

    def summary(
        self, organization: str | None = None, contract: str | None = None
    ) -> dict[str, object]:
        """How many events there were, and how many occurrences of each kind they told.

        Of one organisation, or of one contract's documents, where they are named.
        """
        chosen = (organization, contract)
        counted = [n for pair, n in self._counts.items() if _agree(chosen, pair)]
        told = {e.occurrence for e in self.emitted if _agree(chosen, (e.organization, e.contract))}
        kinds = Counter(each.partition(":")[0] for each in told)
        return {"events": sum(counted), "occurrences": dict(sorted(kinds.items()))}

    def _next(self) -> int:
        self._seen += 1
        return self._seen

    def _emit(self, emitted: Emitted) -> None:
        self.emitted.append(emitted)
        self._counts[emitted.organization, emitted.contract] += 1
        for channel in self.channels.hearing(emitted):
            if channel.socket:
                channel.socket.send(emitted)
        for target in self.targets.values():
            target.take(emitted)

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


def _agree(chosen: tuple[str | None, ...], found: tuple[str | None, ...]) -> bool:
    return all(asked in (None, held) for asked, held in zip(chosen, found, strict=True))
