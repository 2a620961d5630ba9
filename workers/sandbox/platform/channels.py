"""Notification channels: what a client makes to be told of what happens.

The guides name no notifications: their tenants get the vendor's, in the words of the guides.
"""

from __future__ import annotations

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.notifications.channels import Channel
from workers.sandbox.notifications.events import CONTRACTS
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.queries import choice
from workers.sandbox.wire import iso
from workers.sandbox.world import Document

#: Where a channel's socket is, below the system's prefix.
SOCKET = "/channels/{channelId}"
_BEFORE_ID, _, _ = SOCKET.partition("{")


def channel(call: Call, code: str = "not.found") -> Channel:
    """The client's channel that the path names. Raises Refused (404) with that code."""
    channel_id = call.path["channelId"]
    found = call.world.notifications.channels.find(channel_id)
    if found is None or found.client != call.client:
        raise not_found("channel", channel_id, code)
    return found


def make_channel(call: Call) -> Answer:
    """`POST /notifications/channels` → `{id, connectUri, expires}`.

    A client has at most twenty: the one used longest ago goes without a word, of those without a
    socket if there are any.
    """
    made = call.world.notifications.make_channel(
        organization=call.organization.id,
        contract=CONTRACTS[call.entry.system],
        client=call.client,
        token=call.token,
        url=f"{call.origin.replace('http', 'ws', 1)}/{call.entry.system}{_BEFORE_ID}",
        now=call.now,
        seconds=call.options.channel_seconds,
    )
    call.effect("channel.made", made.id)
    return Answer(body=_shown(made))


def list_channels(call: Call) -> Answer:
    """`GET /notifications/channels`: those of the token, or of all the client's tokens.

    Channels that were made with another token are there, and do not show their ids.
    """
    scope = choice(call, "includechannels", "token", ("token", "oauthclient"))
    own = call.world.notifications.channels.of(call.client)
    entities = [_shown(each) for each in own if each.token is call.token]
    if scope == "oauthclient":
        entities += [{"expires": iso(e.expires)} for e in own if e.token is not call.token]
    return Answer(body={"entities": entities})


def check_channel(call: Call) -> Answer:
    """`HEAD /notifications/channels/{channelId}`: that the channel lives, or 404."""
    channel(call)
    return Answer()


def _shown(held: Channel) -> Document:
    return {"id": held.id, "connectUri": held.connect_uri, "expires": iso(held.expires)}


_PATH = "/api/v2/notifications/channels"
ROUTES = (
    Route(method="POST", path=_PATH, handle=make_channel),
    Route(method="GET", path=_PATH, handle=list_channels, query=frozenset({"includechannels"})),
    Route(method="HEAD", path=f"{_PATH}/{{channelId}}", handle=check_channel),
)
