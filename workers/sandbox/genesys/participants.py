"""Participants of voice conversations and their attributes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Body, Call, Route, overlay
from workers.sandbox.errors import bad_request, conflict, not_found, unprocessable
from workers.sandbox.notifications.conversation_events import (
    attributes_set,
    conversation_changed,
)
from workers.sandbox.notifications.guide_views import call_view
from workers.sandbox.wire import digest, encode, later
from workers.sandbox.world import Document, find

MOST_BYTES = 1024
PAGE_SIZE = 25
LARGEST_PAGE = 100
FIELDS = ("id", "name", "type", "state", "participantAttributes", "lastUpdated")


class AttributesPatch(Body):
    """Body of `PATCH /conversations/voice/participants/{participantId}`."""

    participant_attributes: dict[str, str]


def list_participants(call: Call) -> Answer:
    """`GET /conversations/voice/participants?conversationId=`, by pages."""
    participants = _conversation(call)["participants"]
    size = call.number("pageSize", PAGE_SIZE, most=LARGEST_PAGE)
    number = call.number("pageNumber", 1)
    page = participants[(number - 1) * size : number * size]
    entities = [_seen(call, participant) for participant in page]
    return Answer(body={"entities": entities, "pageSize": size, "pageNumber": number})


def read_participant(call: Call) -> Answer:
    """`GET /conversations/voice/participants/{participantId}?conversationId=`."""
    participant_id = call.path["participantId"]
    for participant in _conversation(call)["participants"]:
        if participant["id"] == participant_id:
            return Answer(body=_seen(call, participant))
    raise not_found("participant", participant_id)


def patch_attributes(call: Call) -> Answer:
    """`PATCH …/{participantId}`: merges keys into a participant that is as it was read.

    Raises Refused: 404 for one that has left, 409 for one that was not read, or has changed since,
    under the request's client and correlation id.
    """
    asked = call.body(AttributesPatch).participant_attributes
    if "" in asked:
        raise bad_request("participantAttributes: a name must not be empty")
    participant = _live_participant(call)
    _check_unchanged(call, participant)
    old = participant["participantAttributes"]
    merged = {**old, **asked}
    if (size := len(encode(merged))) > MOST_BYTES:
        message = f"the attributes would be {size} bytes, at most {MOST_BYTES} are allowed"
        raise unprocessable("participant.attributes.too.large", message)
    participant["participantAttributes"] = merged
    participant["lastUpdated"] = later(participant["lastUpdated"], call.now)
    _record(call, participant["id"], old, asked)
    if merged != old:
        _tell(call, participant)
    return Answer(body=_seen(call, participant))


def _record(call: Call, participant_id: str, old: dict[str, str], asked: dict[str, str]) -> None:
    call.effect(
        "participant.attributes",
        participant_id,
        keys=sorted(asked),
        changed=sorted(key for key, value in asked.items() if old.get(key) != value),
        sha256={key: digest(value) for key, value in asked.items()},
    )


def _tell(call: Call, participant: Document) -> None:
    conversation_id = call.organization.conversation_of[participant["id"]]
    shown = call_view(call.organization.conversations[conversation_id], [participant])
    call.notify([attributes_set(shown, shown["participants"][0], call.now)])


def _conversation(call: Call) -> Document:
    conversation_id = call.query.get("conversationId")
    if not conversation_id:
        raise bad_request("conversationId: is required")
    return find(call.organization.conversations, "conversation", conversation_id)


def _live_participant(call: Call) -> Document:
    participant_id = call.path["participantId"]
    conversation_id = call.organization.conversation_of.get(participant_id, "")
    conversation = call.organization.conversations.get(conversation_id)
    if conversation is None or conversation["state"] != "active":
        raise not_found("participant", participant_id)
    participant: Document = next(
        p for p in conversation["participants"] if p["id"] == participant_id
    )
    if participant["state"] == "disconnected":
        raise not_found("participant", participant_id)
    return participant


def _check_unchanged(call: Call, participant: Document) -> None:
    seen = call.organization.seen.get((call.client, call.correlation, participant["id"]))
    if seen != participant["lastUpdated"]:
        message = "the participant was not read, or has changed since"
        raise conflict("participant.changed", message)


def _seen(call: Call, participant: Document) -> Document:
    reader = (call.client, call.correlation, participant["id"])
    call.organization.seen[reader] = participant["lastUpdated"]
    return {name: participant[name] for name in FIELDS}


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    participant_id = call.path.get("participantId")
    if participant_id is None:
        conversation_id = call.query["conversationId"]
    else:
        conversation_id = call.organization.conversation_of[participant_id]
    conversation = call.organization.conversations[conversation_id]
    before = copy.deepcopy(call_view(conversation))
    for participant in conversation["participants"]:
        if participant_id in (None, participant["id"]):
            overlay(participant, changes)
            participant["lastUpdated"] = later(participant["lastUpdated"], call.now)
            call.effect("foreign.write", participant["id"])
    after = call_view(conversation)
    call.notify(conversation_changed(call.organization.id, before, after, call.now))


ROUTES = (
    Route(
        method="GET",
        path="/api/v2/conversations/voice/participants",
        scope="conversation:view",
        handle=list_participants,
        query=frozenset({"conversationId", "pageSize", "pageNumber"}),
        foreign=_change,
        writes="participants",
        per_second=True,
    ),
    Route(
        method="GET",
        path="/api/v2/conversations/voice/participants/{participantId}",
        scope="conversation:view",
        handle=read_participant,
        query=frozenset({"conversationId"}),
        foreign=_change,
        writes="participants",
        per_second=True,
    ),
    Route(
        method="PATCH",
        path="/api/v2/conversations/voice/participants/{participantId}",
        scope="conversation:update",
        handle=patch_attributes,
        foreign=_change,
        writes="participants",
        per_second=True,
    ),
)
