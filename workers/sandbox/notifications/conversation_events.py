"""What a conversation's events say: of who takes part in it, as the vendor's models have it.

A body is a snapshot after the change, whole, however little of it has changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workers.sandbox.notifications.events import Event, event
from workers.sandbox.notifications.topics import ATTRIBUTES, CUSTOMER_END, QUEUE_MESSAGES
from workers.sandbox.wire import digest, instant

if TYPE_CHECKING:
    from workers.sandbox.world import Document

CUSTOMERS = ("customer", "external")
#: Where a participant keeps communications, and how events call their medium.
MEDIA: Mapping[str, str] = {"messages": "MESSAGE", "calls": "VOICE", "emails": "EMAIL"}
_PARTICIPANT = ("id", "name", "purpose", "startTime", "connectedTime", "endTime", "attributes")
_COMMUNICATION = ("state", "initialState", "direction", "disconnectType", "provider", "type")


def queue_id(organization: str) -> str:
    """The queue that an organisation's message conversations are in."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"queue of {organization}"))


def conversation_changed(
    organization: str, old: Mapping[str, Any], new: Mapping[str, Any], at: float
) -> Iterator[Event]:
    """What has happened between two states of a conversation."""
    before = {each["id"]: each for each in old["participants"]}
    for each in new["participants"]:
        known = before.get(each["id"], {})
        if each["attributes"] != known.get("attributes", {}):
            yield attributes_set(new, each, at)
        if has_left(each) and not has_left(known):
            yield customer_ended(new, each, at)
    if old != new and any("messages" in each for each in new["participants"]):
        yield message_conversation(organization, new, at)


def attributes_set(
    conversation: Mapping[str, Any], participant: Mapping[str, Any], at: float
) -> Event:
    """A participant has other attributes; the event has them all."""
    contacts = _contacts(conversation)
    body = {
        "eventTime": _milliseconds(at),
        "conversationId": conversation["id"],
        "participantId": participant["id"],
        "attributes": participant["attributes"],
        "conversationExternalContactIds": contacts,
        "communications": [
            {"id": each.get("id", ""), "mediaType": medium}
            for medium, each in _communications(participant)
        ],
    }
    kind = "attributes" if contacts else "anonymous"
    whose = f"{conversation['id']}:{participant['id']}"
    occurrence = f"{kind}:{whose}:{digest(participant['attributes'])}"
    return event(ATTRIBUTES, conversation["id"], at, body, occurrence)


def message_conversation(organization: str, conversation: Mapping[str, Any], at: float) -> Event:
    """The state of a message conversation, as its queue's topic repeats it."""
    queue = queue_id(organization)
    body = {
        "id": conversation["id"],
        "participants": [
            _participant(each, queue) for each in conversation["participants"] if "messages" in each
        ],
        "otherMediaUris": [],
    }
    ended = next((_left(e) for e in conversation["participants"] if has_left(e)), None)
    occurrence = f"went_on:{conversation['id']}:{at}"
    if ended is not None:
        occurrence = f"ended:{conversation['id']}:{ended}"
    return event(QUEUE_MESSAGES, queue, at, body, occurrence)


def has_left(participant: Mapping[str, Any]) -> bool:
    """Whether that is a customer who takes part no more."""
    return participant.get("purpose") in CUSTOMERS and "endTime" in participant


def customer_ended(
    conversation: Mapping[str, Any], participant: Mapping[str, Any], at: float
) -> Event:
    """A customer has left a conversation."""
    medium, last = _last(participant)
    body = {
        "eventTime": _left(participant),
        "conversationId": conversation["id"],
        "participantId": participant["id"],
        "sessionId": last.get("id", participant["id"]),
        "disconnectType": last.get("disconnectType", "unknown").upper(),
        "mediaType": medium,
        "provider": last.get("provider", ""),
        "direction": last.get("direction", "unknown").upper(),
        "interactingDurationMs": _left(participant) - _of(participant["startTime"]),
        "conversationExternalContactIds": _contacts(conversation),
    }
    if "externalContactId" in participant:
        body["externalContactId"] = participant["externalContactId"]
    if medium == "MESSAGE":
        body["messageType"] = last.get("type", "unknown").upper()
    kind = "ended" if medium == "MESSAGE" else "hung_up"
    occurrence = f"{kind}:{conversation['id']}:{body['eventTime']}"
    return event(CUSTOMER_END, conversation["id"], at, body, occurrence)


def _participant(participant: Mapping[str, Any], queue: str) -> Document:
    last = participant["messages"][-1] if participant["messages"] else {}
    shown: Document = {name: participant[name] for name in _PARTICIPANT if name in participant}
    shown |= {name: last[name] for name in _COMMUNICATION if name in last}
    shown |= {"held": False, "queue": {"id": queue}}
    for name, field in (("user", "userId"), ("externalContact", "externalContactId")):
        if field in participant:
            shown[name] = {"id": participant[field]}
    shown["messages"] = [
        {"message": {"id": each["messageId"]}, **_sent(each)}
        for one in participant["messages"]
        for each in one.get("messages", ())
    ]
    return shown


def _sent(message: Mapping[str, Any]) -> Document:
    names = ("messageTime", "messageStatus", "messageMetadata")
    return {name: message[name] for name in names if name in message}


def _communications(participant: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return (
        (medium, each) for field, medium in MEDIA.items() for each in participant.get(field, ())
    )


def _last(participant: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    unknown: tuple[str, Mapping[str, Any]] = ("UNKNOWN", {})
    return next(reversed([*_communications(participant)]), unknown)


def _contacts(conversation: Mapping[str, Any]) -> list[str]:
    named = [
        each.get("externalContactId") for each in (conversation, *conversation["participants"])
    ]
    return sorted({each for each in named if each})


def _left(participant: Mapping[str, Any]) -> int:
    return _of(participant["endTime"])


def _of(moment: str) -> int:
    return _milliseconds(instant(moment).timestamp())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
