"""`GET /channels/{channelId}`: a channel's `connectUri`; whoever knows it may connect."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from aiohttp import web

from workers.sandbox.arrival import Arrival
from workers.sandbox.call import Answer
from workers.sandbox.errors import bad_request
from workers.sandbox.faults import ClosingSocket, DropSocket, MuteSocket
from workers.sandbox.notifications.channels import Channel
from workers.sandbox.notifications.events import CONTRACTS
from workers.sandbox.notifications.sockets import Socket
from workers.sandbox.platform.errors import not_found

SWITCHING_PROTOCOLS = 101
F = TypeVar("F")


def connect(arrival: Arrival) -> Answer:
    """Open the channel's WebSocket; one that it has already is closed.

    Raises Refused: 404 for an unknown or expired channel, 400 for what is no WebSocket handshake.
    """
    channel_id = arrival.request.match_info["channelId"]
    found = arrival.simulation.world.notifications.channels.find(channel_id)
    if found is None or found.contract != CONTRACTS[arrival.entry.system]:
        raise not_found("channel", channel_id)
    if not web.WebSocketResponse().can_prepare(arrival.request):
        raise bad_request("the request is no WebSocket handshake")
    arrival.entry.client, arrival.entry.organization = found.client, found.organization
    return Answer(status=SWITCHING_PROTOCOLS, converse=partial(_converse, arrival, found))


async def _converse(arrival: Arrival, channel: Channel, request: web.Request) -> web.StreamResponse:
    # The world and the journal may be others by its end, if all begins again.
    notifications = arrival.simulation.world.notifications
    effect = partial(arrival.simulation.journal.effect, arrival.entry)
    socket = _socket(arrival, channel)
    notifications.open_socket(channel, socket, arrival.now)
    effect(arrival.now, "socket.opened", channel.id, {})
    try:
        return await socket.converse(request)
    finally:
        notifications.forget_socket(channel, socket)
        ended = {"reason": socket.reason, "sent": socket.sent}
        effect(socket.timeline.advance(), "socket.closed", channel.id, ended)


def _socket(arrival: Arrival, channel: Channel) -> Socket:
    simulation = arrival.simulation
    dropped = _fault(arrival, DropSocket)
    closing = _fault(arrival, ClosingSocket)
    socket = Socket(
        channel_id=channel.id,
        timeline=simulation.world.timeline,
        heartbeat_seconds=simulation.options.heartbeat_seconds,
        drop_after=dropped.events if dropped else None,
        mute=_fault(arrival, MuteSocket) is not None,
    )
    if closing:
        socket.announce_closing(arrival.now + closing.seconds, simulation.options.notice_seconds)
    return socket


def _fault(arrival: Arrival, kind: type[F]) -> F | None:
    return next((each for each in arrival.faults if isinstance(each, kind)), None)
