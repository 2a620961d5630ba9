"""The notification service over HTTP, under paths that both contracts share.

Source: vendor's SDK for Python 257.1.0 and its Swagger document, which asks for no permission to
have channels; topics ask for their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.apis.notifications import AvailableTopic, Channel, TopicState
from tasks.fields import Identifier

CHANNELS = "/api/v2/notifications/channels"
CHANNEL = f"{CHANNELS}/{{channel_id}}"
NEEDS = "a role or scope that may use notifications"
#: How `HEAD` says that there is no such channel.
GONE = frozenset({404})
#: The vendor's sentence about a topic is cut there.
LONGEST_REASON = 200

PERMITTED = "Permitted"
_PERMISSION = re.compile(r"[A-Za-z]{1,40}(:[A-Za-z*]{1,40}){2}")


class _Channel(Body):
    id: Identifier
    connect_uri: str
    expires: AwareDatetime


class _Channels(Body):
    """`{entities[…]}`: the channels of other tokens have no ids."""

    entities: list[dict[str, Any]]


class _Topic(Body):
    id: str = ""
    state: str = ""
    rejection_reason: str = ""
    missing_permissions: list[str] = []

    @property
    def permitted(self) -> bool:
        return self.state == PERMITTED


class _Topics(Body):
    entities: list[_Topic] = []


class _Permissions(Body):
    permissions: list[str] = []


class _Available(Body):
    id: str
    transports: list[str] = []
    permission_details: list[_Permissions] = []

    def value(self) -> AvailableTopic:
        needed = (name for each in self.permission_details for name in each.permissions)
        return AvailableTopic(
            template=self.id,
            transports=frozenset(self.transports),
            permissions=_permissions(needed),
        )


class _AllAvailable(Body):
    entities: list[_Available] = []


@dataclass(frozen=True, kw_only=True)
class NotificationService:
    """Implements the `Notifications` seam."""

    http: Http

    def create_channel(self) -> Channel:
        call = Call(
            method="POST",
            route=CHANNELS,
            # There is no body; the vendor's SDK names its type all the same.
            headers={"Content-Type": "application/json"},
            needs=NEEDS,
            kind="write",
            effect=True,
        )
        made = read_as(_Channel, self.http, call)
        return Channel(id=made.id, connect_uri=made.connect_uri, expires=made.expires)

    def channels_in_use(self) -> int:
        query = {"includechannels": "oauthclient"}
        call = Call(method="GET", route=CHANNELS, query=query, needs=NEEDS)
        return len(read_as(_Channels, self.http, call).entities)

    def is_alive(self, channel_id: str) -> bool:
        ids = {"channel_id": channel_id}
        call = Call(method="HEAD", route=CHANNEL, ids=ids, needs=NEEDS, allowed=GONE)
        return self.http.call(call).status not in GONE

    def subscribe(
        self, channel_id: str, topics: Collection[str], *, add: bool = False
    ) -> Sequence[TopicState]:
        asked = list(dict.fromkeys(topics))
        call = Call(
            method="POST" if add else "PUT",
            route=f"{CHANNEL}/subscriptions",
            ids={"channel_id": channel_id},
            query={"ignoreErrors": "true"},
            body=[{"id": each} for each in asked],
            needs=NEEDS,
            kind="write",
            effect=True,
        )
        answered = _worst(read_as(_Topics, self.http, call).entities)
        return [_state(each, answered.get(each)) for each in asked]

    def available_topics(self) -> Sequence[AvailableTopic]:
        call = Call(
            method="GET",
            route="/api/v2/notifications/availabletopics",
            query={"expand": ["transports", "permissionDetails"]},
            needs=NEEDS,
        )
        return [each.value() for each in read_as(_AllAvailable, self.http, call).entities]


def _worst(entities: Iterable[_Topic]) -> dict[str, _Topic]:
    """Return the entities by topic; of two that are about one, the one that is not permitted."""
    ordered = sorted(entities, key=lambda each: each.permitted, reverse=True)
    return {each.id: each for each in ordered}


def _state(topic: str, answered: _Topic | None) -> TopicState:
    """Return what came of a topic: what is not said to be permitted will not be heard."""
    if answered is None:
        return TopicState(topic=topic, permitted=False, reason="is missing from the answer")
    if answered.permitted:
        return TopicState(topic=topic, permitted=True)
    return TopicState(
        topic=topic,
        permitted=False,
        reason=answered.rejection_reason[:LONGEST_REASON] or "is not said to be permitted",
        missing=_permissions(answered.missing_permissions),
    )


def _permissions(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if _PERMISSION.fullmatch(name))
