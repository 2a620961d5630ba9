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
from workers.sandbox.notifications.targets import TargetPlan
from workers.sandbox.wire import digest
from workers.sandbox.world import find

if TYPE_CHECKING:
    from workers.sandbox.control import Order

FORMS: Mapping[str, Callable[[Emitted], dict[str, Any]]] = {
    "log": Emitted.render,
    "detail": Emitted.detail,
    "eventbridge": Emitted.envelope,
}
_FILTERS = ("organization", "contract", "topic", "template", "occurrence", "id")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Given(_Model):
    """An event as a test wants it; without `occurrence` equal bodies tell the same."""

    topic: str
    body: dict[str, Any]
    occurrence: str = ""


class EventOrder(_Model):
    """One of four orders."""

    emit: list[Given] | None = None
    start: Plan | None = None
    stop: Literal[True] | None = None
    target: TargetPlan | None = None

    @model_validator(mode="after")
    def _one(self) -> EventOrder:
        orders = (self.emit, self.start, self.stop, self.target)
        if sum(each is not None for each in orders) != 1:
            raise ValueError("must be one of emit, start, stop, target")
        return self


class SocketOrder(_Model):
    """What is to happen to the open sockets, or to that of one channel."""

    order: Literal["drop", "close", "closing", "mute", "expire", "revoke_token"]
    channel: str | None = None


def order_events(order: Order) -> Any:
    """`POST /sandbox/events?organization=`: one of four orders.

    `{emit[{topic, body}]}` answers `{ids}` of the events, 400 for a topic that does not exist;
    `{target: TargetPlan}` answers `{id}` of a target that what happens is pushed to from now on;
    `{start: Plan}` and `{stop: true}` answer the stream's state.
    """
    wanted = EventOrder.model_validate(order.body)
    if wanted.emit is not None:
        return {"ids": [_emit(order, each) for each in wanted.emit]}
    notifications, world = order.simulation.world.notifications, order.simulation.world
    if wanted.target is not None:
        return {"id": notifications.add_target(order.organization().id, wanted.target).id}
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
    return world.notifications.emit_one(order.organization().id, told, None).id


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
    """`GET /sandbox/events/summary?organization=&contract=`: how much was told, and to whom.

    → `{events, occurrences: {kind: n}, stream{running, delivered}, targets[{id, url, delivered,
    retried, waiting, givenUp, answers{status: n}}]}`, the first two by the filters.
    """
    if unknown := sorted(order.query.keys() - {"organization", "contract"}):
        raise bad_request(f"filter: unknown: {', '.join(unknown)}")
    notifications = order.simulation.world.notifications
    targets = [each.render() for each in notifications.targets.values()]
    return {**notifications.summary(**order.query), "stream": _state(order), "targets": targets}


def remove_targets(order: Order) -> Any:
    """`DELETE /sandbox/targets`, `…/{id}`: nothing is pushed to them any more. 404 for no such."""
    targets = order.simulation.world.notifications.targets
    target_id = order.path.get("id")
    for each in [target_id] if target_id else list(targets):
        if each not in targets:
            raise not_found("target", each)
        targets.pop(each).stop()
    return {}


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
    """`POST /sandbox/conversations/{id}/end?organization=`: one that goes on ends now.

    That may be an interaction of the guides too, which is completed.
    """
    organization, world = order.organization(), order.simulation.world
    conversation_id, now = order.path["id"], world.timeline.advance()
    if chat := organization.interactions.get(conversation_id):
        _check_active(chat["state"] == "active")
        events = endings.complete(organization.id, chat, now)
        world.notifications.emit(organization.id, events, "guide")
        return chat
    held = find(organization.platform_conversations, "conversation", conversation_id)
    _check_active("endTime" not in held)
    world.notifications.emit(organization.id, endings.end(organization.id, held, now))
    return held


def _check_active(active: bool) -> None:
    if not active:
        raise Refused(409, "conflict", "the conversation has ended already")


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
    ("DELETE", "/sandbox/targets", remove_targets),
    ("DELETE", "/sandbox/targets/{id}", remove_targets),
    ("GET", "/sandbox/channels", list_channels),
    ("POST", "/sandbox/sockets", order_sockets),
    ("POST", "/sandbox/conversations/{id}/end", end_conversation),
)
