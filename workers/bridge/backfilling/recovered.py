"""Events made of what an API tells afterwards: rules see in them what they see in live ones.

A body has the shape and the moments of the live event, as far as the API knows them, and neither
names nor messages. The end of a chat makes two, as it does live: one of its customer, and one of
each of its queues, for those whose rules know only one of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from tasks.apis.history import Chat, ChatState, Guest, Party, Span
from tasks.apis.moments import iso
from workers.bridge.reading.events import Event
from workers.bridge.reading.moments import milliseconds

CUSTOMER_END = "v2.detail.events.conversation.{id}.customer.end"
ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
QUEUE_MESSAGES = "v2.routing.queues.{id}.conversations.messages"


def ends(chat: Chat, span: Span, at: datetime, queues: Collection[str] = ()) -> Iterator[Event]:
    """Yield the events of those customers of a chat who left it in the span.

    Where an API tells of none, the chat's end is theirs, and `queues` are those of the chat. An end
    without a moment counts as one at `at`, and its body tells none.
    """
    if chat.guests is None:
        guests, left = [Guest(id="", purpose="customer", left=chat.ended)], chat.ended or at
        yield _customer_end(chat, guests[0], left)
    else:
        guests = [*chat.guests]
        gone = [(each, each.left) for each in guests if each.left and span.holds(each.left)]
        if not gone:
            return
        for guest, left in gone:
            yield _customer_end(chat, guest, left)
        left = max(left for _, left in gone)
    for queue in queues if chat.queues is None else chat.queues:
        yield _snapshot(chat, guests, queue, left)


def attributes(chat_id: str, state: ChatState, since: datetime, read: datetime) -> Iterator[Event]:
    """Yield an event for everybody in a chat who has attributes, as they were when `read`.

    Its body says that they were set at `since`, so that they are written over nothing that was set
    later; what was told of until they were read has come before them.
    """
    for party in state.parties:
        if party.attributes:
            body = _attributes(chat_id, party, state.contacts, since)
            yield _event(ATTRIBUTES, chat_id, body, read)


def _customer_end(chat: Chat, guest: Guest, at: datetime) -> Event:
    joined, left = guest.joined, guest.left
    body = {
        "eventTime": milliseconds(left) if left else None,
        "conversationId": chat.id,
        "participantId": guest.id,
        "sessionId": guest.session_id,
        "disconnectType": guest.disconnect_type.upper(),
        "mediaType": "MESSAGE",
        "messageType": guest.message_type.upper(),
        "provider": guest.provider,
        "direction": guest.direction.upper(),
        "interactingDurationMs": milliseconds(left) - milliseconds(joined)
        if left and joined
        else None,
        "externalContactId": guest.contact_id,
        "conversationExternalContactIds": sorted(chat.contacts),
    }
    return _event(CUSTOMER_END, chat.id, body, at)


def _snapshot(chat: Chat, guests: Collection[Guest], queue: str, at: datetime) -> Event:
    participants = [_participant(each, queue, gone=chat.over) for each in guests]
    return _event(QUEUE_MESSAGES, queue, {"id": chat.id, "participants": participants}, at)


def _participant(guest: Guest, queue: str, *, gone: bool) -> Mapping[str, Any]:
    shown = {
        "id": guest.id,
        "purpose": guest.purpose,
        "state": "disconnected" if guest.left or gone else "connected",
        "startTime": iso(guest.joined) if guest.joined else None,
        "connectedTime": iso(guest.joined) if guest.joined else None,
        "endTime": iso(guest.left) if guest.left else None,
        "direction": guest.direction,
        "disconnectType": guest.disconnect_type,
        "provider": guest.provider,
        "type": guest.message_type,
        "queue": {"id": queue},
        "externalContact": {"id": guest.contact_id} if guest.contact_id else None,
    }
    return _told(shown)


def _attributes(
    chat_id: str, party: Party, contacts: Collection[str], at: datetime
) -> Mapping[str, Any]:
    return {
        "eventTime": milliseconds(at),
        "conversationId": chat_id,
        "participantId": party.id,
        "attributes": dict(party.attributes),
        "conversationExternalContactIds": sorted(contacts),
        "communications": [{"id": each, "mediaType": "MESSAGE"} for each in party.communications],
    }


def _event(template: str, about: str, body: Mapping[str, Any], at: datetime) -> Event:
    topic = template.replace("{id}", about)
    return Event(topic=topic, body=_told(body), at=at, source="backfill")


def _told(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields without those that are not told."""
    return {name: value for name, value in fields.items() if value not in (None, "")}
