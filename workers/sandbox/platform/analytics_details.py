"""A conversation as analytics tells it: participants, their sessions, and segments of those."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from workers.sandbox.notifications.conversation_events import CUSTOMERS
from workers.sandbox.wire import instant
from workers.sandbox.world import Document

#: Where a participant's communications of each media type stand.
MEDIA = {
    "calls": "voice",
    "callbacks": "callback",
    "chats": "chat",
    "emails": "email",
    "messages": "message",
}
_ENDS = ("endTime", "disconnectedTime")


def details(conversation: Document, queue: str, *, attributes: bool = False) -> Document:
    """The conversation's `AnalyticsConversation`; a job's one has participants' attributes.

    Its messages went through that queue, which whoever is no customer was reached by.
    """
    participants = [
        _participant(each, queue, attributes=attributes) for each in conversation["participants"]
    ]
    told: Document = {
        "conversationId": conversation["id"],
        "conversationStart": conversation["startTime"],
        "originatingDirection": _direction(participants),
        "divisionIds": [each["division"]["id"] for each in conversation.get("divisions", ())],
        "participants": participants,
    }
    if end := conversation.get("endTime"):
        told["conversationEnd"] = end
    return told


def segments(told: Document) -> Iterator[Document]:
    """The fields of each segment together with those of its session and participant."""
    for participant in told["participants"]:
        for session in participant["sessions"]:
            for segment in session["segments"]:
                yield {**participant, **session, **segment}


def as_known(conversation: Document, until: datetime) -> Document | None:
    """The conversation as it was at that moment; None where it had not begun."""
    if instant(conversation["startTime"]) > until:
        return None
    participants = [_as_known(each, until) for each in conversation["participants"]]
    return {**_without_future(conversation, until), "participants": participants}


def _as_known(participant: Document, until: datetime) -> Document:
    media = {
        name: [_without_future(each, until) for each in participant[name]]
        for name in MEDIA
        if name in participant
    }
    return {**_without_future(participant, until), **media}


def _without_future(document: Document, until: datetime) -> Document:
    later = {name for name in _ENDS if name in document and instant(document[name]) > until}
    return {name: value for name, value in document.items() if name not in later}


def _participant(participant: Document, queue: str, *, attributes: bool) -> Document:
    told: Document = {
        "participantId": participant["id"],
        "purpose": participant["purpose"],
        "sessions": [
            _session(participant, communication, media_type, queue)
            for name, media_type in MEDIA.items()
            for communication in participant.get(name, ())
        ],
    }
    names = {"name": "participantName", "userId": "userId", "externalContactId": ""}
    told |= {names[k] or k: participant[k] for k in names if k in participant}
    if attributes:
        told["attributes"] = participant.get("attributes", {})
    return told


def _session(
    participant: Document, communication: Document, media_type: str, queue: str
) -> Document:
    segment = _segment(participant, communication)
    if media_type == "message" and participant["purpose"] not in CUSTOMERS:
        segment["queueId"] = queue
    told: Document = {
        "sessionId": communication["id"],
        "mediaType": media_type,
        "direction": communication.get("direction", "inbound"),
        "segments": [segment],
    }
    if media_type == "message":
        told["messageType"] = communication.get("type", "unknown")
    if "provider" in communication:
        told["provider"] = communication["provider"]
    return told


def _segment(participant: Document, communication: Document) -> Document:
    started = communication.get("connectedTime") or participant.get("startTime")
    ended = communication.get("disconnectedTime") or participant.get("endTime")
    told: Document = {"segmentType": "interact", "conference": False}
    told |= {"segmentStart": started} if started else {}
    told |= {"segmentEnd": ended} if ended else {}
    if ended:
        told["disconnectType"] = communication.get("disconnectType", "peer")
    return told


def _direction(participants: list[Document]) -> str:
    sessions = [session for each in participants for session in each["sessions"]]
    return str(sessions[0]["direction"]) if sessions else "inbound"
