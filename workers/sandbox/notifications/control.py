"""`/sandbox/events`, `/sandbox/channels`, …: what happens and who hears it, by order of a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from workers.sandbox.errors import Refused, bad_request, not_found
from workers.sandbox.journal import select
from workers.sandbox.notifications import endings, topics
from workers.sandbox.notifications.channels import Channel
from workers.sandbox.notifications.events import Emitted, event
from workers.sandbox.notifications.sockets import Socket
from workers.sandbox.notifications.stream import Plan, Stream
from workers.sandbox.wire import digest
from workers.sandbox.world import find

if TYPE_CHECKING:
    from workers.sandbox.control import Order

FORMS: Mapping[str, Callable[[Emitted], dict[str, Any]]] = {
    "log": Emitted.render,
    "detail": Emitted.detail,
    "eventbridge": Emitted.envelope,
}
_FILTERS = ("organization", "topic", "template", "occurrence", "id")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Given(_Model):
    """An event as a test wants it; without `occurrence` equal bodies tell the same."""

    topic: str
    body: dict[str, Any]
    occurrence: str = ""


class EventOrder(_Model):
    """One of three orders."""

    emit: list[Given] | None = None
    start: Plan | None = None
    stop: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> EventOrder:
        if sum(each is not None for each in (self.emit, self.start, self.stop)) != 1:
            raise ValueError("must be one of emit, start, stop")
        return self


class SocketOrder(_Model):
    """What is to happen to the open sockets, or to that of one channel."""

    order: Literal["drop", "close", "closing", "mute", "expire", "revoke_token"]
    channel: str | None = None


def order_events(order: Order) -> Any:
    """`POST /sandbox/events?organization=` `{emit[{topic, body}]}`, `{start: Plan}`, `{stop}`.

    Emitting answers `{ids}`, the others the stream's state. 400 for a topic that does not exist.
    """
    wanted = EventOrder.model_validate(order.body)
    if wanted.emit is not None:
        return {"ids": [_emit(order, each) for each in wanted.emit]}
    notifications, world = order.simulation.world.notifications, order.simulation.world
    if notifications.stream:
        notifications.stream.stop()
    if wanted.start:
        notifications.stream = Stream(world, order.organization(), wanted.start)
        notifications.stream.start()
    return _state(order)


def _emit(order: Order, given: Given) -> str:
    topic = topics.find(given.topic)
    if topic is None:
        raise bad_request(f"emit.topic: {given.topic} is no topic")
    world = order.simulation.world
    object_id, at = topic.object_id(given.topic) or "", world.timeline.advance()
    occurrence = given.occurrence or f"given:{given.topic}:{digest(given.body)}"
    told = event(topic.template, object_id, at, given.body, occurrence)
    return world.notifications.emit_one(order.organization().id, told).id


def list_events(order: Order) -> Any:
    """`GET /sandbox/events?form=log|detail|eventbridge&since=&limit=` → `{events, last}`.

    Oldest first, those that agree with every filter; `last` is what to go on `since`.
    """
    query = dict(order.query)
    form = FORMS.get(query.pop("form", "log"))
    if form is None:
        raise bad_request(f"form: must be one of {', '.join(FORMS)}")
    last = 0

    def render(emitted: Emitted) -> dict[str, Any]:
        nonlocal last
        last = emitted.seq
        return form(emitted)

    try:
        emitted = order.simulation.world.notifications.emitted
        found = select(emitted, query, _FILTERS, render)
    except ValueError as error:
        raise bad_request(f"filter: {error}") from None
    return {"events": found, "last": last or int(query.get("since", 0))}


def count_events(order: Order) -> Any:
    """`GET /sandbox/events/summary` → `{events, occurrences: {kind: n}, stream}`."""
    return {**order.simulation.world.notifications.summary(), "stream": _state(order)}


def list_channels(order: Order) -> Any:
    """`GET /sandbox/channels` → the channels that live, and which of them are heard."""
    channels = order.simulation.world.notifications.channels
    return {"channels": [_shown(each) for each in channels]}


def order_sockets(order: Order) -> Any:
    """`POST /sandbox/sockets` `{order, channel?}` → `{count}` of the sockets that it met.

    404 where the channel has none.
    """
    wanted = SocketOrder.model_validate(order.body)
    sockets = order.simulation.world.notifications.sockets()
    met = [each for each in sockets if wanted.channel in (None, each[0].id)]
    if wanted.channel and not met:
        raise not_found("socket", wanted.channel)
    for channel, socket in met:
        _carry_out(order, wanted.order, channel, socket)
    return {"count": len(met)}


def _carry_out(order: Order, what: str, channel: Channel, socket: Socket) -> None:
    simulation = order.simulation
    if what == "closing":
        notice, now = simulation.options.notice_seconds, simulation.world.timeline.advance()
        socket.announce_closing(now, notice)
    elif what == "expire":
        simulation.world.notifications.end_channel(channel, "expired")
    elif what == "revoke_token":
        simulation.tokens.expire(channel.client)
        socket.tell_system("token_revoked", f"token_revoked.{channel.id}")
        simulation.world.notifications.end_channel(channel, "revoked")
    else:
        {"drop": socket.drop, "close": socket.close, "mute": socket.silence}[what]()


def end_conversation(order: Order) -> Any:
    """`POST /sandbox/conversations/{id}/end?organization=`: one that goes on ends now."""
    organization, world = order.organization(), order.simulation.world
    held = find(organization.platform_conversations, "conversation", order.path["id"])
    if "endTime" in held:
        raise Refused(409, "conflict", "the conversation has ended already")
    events = endings.end(organization.id, held, world.timeline.advance())
    world.notifications.emit(organization.id, events)
    return held


def _shown(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "organization": channel.organization,
        "client": channel.client,
        "expires": channel.expires,
        "topics": list(channel.topics),
        "connected": channel.socket is not None,
        "sent": channel.socket.sent if channel.socket else 0,
    }


def _state(order: Order) -> dict[str, Any]:
    stream = order.simulation.world.notifications.stream
    return {
        "running": stream is not None and stream.running,
        "delivered": stream.delivered if stream else 0,
    }


COMMANDS = (
    ("POST", "/sandbox/events", order_events),
    ("GET", "/sandbox/events", list_events),
    ("GET", "/sandbox/events/summary", count_events),
    ("GET", "/sandbox/channels", list_channels),
    ("POST", "/sandbox/sockets", order_sockets),
    ("POST", "/sandbox/conversations/{id}/end", end_conversation),
)
