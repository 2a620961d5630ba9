"""Conversations of any kind, and the attributes of who takes part in them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.errors import bad_request
from workers.sandbox.notifications.conversation_events import conversation_changed
from workers.sandbox.platform.errors import not_found
from workers.sandbox.wire import digest
from workers.sandbox.world import Document

_PATH = "/api/v2/conversations/{conversationId}"


def conversation(call: Call, code: str = "not.found") -> Document:
    """The conversation that the path names. Raises Refused (404) with that code."""
    conversation_id = call.path["conversationId"]
    found = call.organization.platform_conversations.get(conversation_id)
    if found is None:
        raise not_found("conversation", conversation_id, code)
    return found


def read_conversation(call: Call) -> Answer:
    """`GET /conversations/{conversationId}` → `{id, startTime, endTime?, participants[…]}`."""
    return Answer(body=conversation(call))


def patch_attributes(call: Call) -> Answer:
    """`PATCH …/participants/{participantId}/attributes` `{attributes}` → 202 without a body.

    They are laid over the others after `attributes_delay_seconds`, in the order of the requests;
    those that come after the end of the conversation are not kept.
    """
    _check_participant(call)
    asked = _attributes(call)

    def keep(at: float) -> None:
        held = call.organization.platform_conversations[call.path["conversationId"]]
        for participant in held["participants"]:
            if participant["id"] == call.path["participantId"] and "endTime" not in held:
                _keep(call, held, participant, asked, at)

    call.world.timeline.schedule(call.now + call.options.attributes_delay_seconds, keep)
    return Answer(status=202)


def _check_participant(call: Call) -> None:
    participant_id = call.path["participantId"]
    if all(each["id"] != participant_id for each in conversation(call)["participants"]):
        code = "conversation.error.participant.not.found"
        raise not_found("participant", participant_id, code)


def _attributes(call: Call) -> dict[str, str]:
    sent = call.json()
    if unknown := sorted(sent.keys() - {"attributes"}):
        raise bad_request(f"{unknown[0]}: is no field of this body", "invalid.property")
    attributes = sent.get("attributes", {})
    if not isinstance(attributes, dict):
        raise bad_request("attributes: must be an object", "constraint.validation")
    for name, value in attributes.items():
        if not isinstance(value, str):
            raise bad_request(f"attributes.{name}: must be a string", "constraint.validation")
    return attributes


def _keep(
    call: Call, held: Document, participant: Document, asked: Mapping[str, str], at: float
) -> None:
    old = participant["attributes"]
    before = {**held, "participants": [{**each} for each in held["participants"]]}
    participant["attributes"] = {**old, **asked}
    call.notify(conversation_changed(call.organization.id, before, held, at))
    call.effect(
        "attributes.set",
        participant["id"],
        at=at,
        conversation=call.path["conversationId"],
        keys=sorted(asked),
        changed=sorted(key for key, value in asked.items() if old.get(key) != value),
        sha256={key: digest(value) for key, value in asked.items()},
    )


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    held = conversation(call)
    before = copy.deepcopy(held)
    overlay(held, changes)
    call.effect("foreign.write", call.path["conversationId"])
    call.notify(conversation_changed(call.organization.id, before, held, call.now))


ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        any_of=("conversation:communication:view",),
        handle=read_conversation,
        foreign=_change,
        writes="platformConversations",
    ),
    Route(
        method="PATCH",
        path=f"{_PATH}/participants/{{participantId}}/attributes",
        handle=patch_attributes,
    ),
)
