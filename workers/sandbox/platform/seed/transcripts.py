"""Seeded message conversations that have ended, with transcripts and recordings.

Texts are those of the guides' chats; some personal data stands in `content` and `metadata` too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from workers.sandbox.platform.users import user
from workers.sandbox.seed import EPOCH, HOUR, chats
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import Document, Organization, new_id

PROVIDER = "PureCloud Messaging"


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A conversation, `{id, messages}` of it, and its recording."""

    conversation: Document
    transcript: Document
    recording: Document


def add(rng: random.Random, organization: Organization, number: int) -> None:
    """Add conversations that have ended, one in every two hours, two in three of them recorded."""
    contacts = list(organization.external_contacts)
    for index in range(number):
        started, contact_id = EPOCH + index * 2 * HOUR, rng.choice(contacts)
        made = chat(rng, started=started, contact_id=contact_id)
        conversation_id = made.conversation["id"]
        organization.platform_conversations[conversation_id] = made.conversation
        organization.message_transcripts[conversation_id] = made.transcript
        if index % 3:
            organization.recordings[made.recording["id"]] = made.recording


def chat(rng: random.Random, *, started: float, contact_id: str) -> Chat:
    """A conversation of a contact with an agent that began at `started`, and has ended."""
    told = chats.interaction(rng, started=started)
    guest, agent = (each["id"] for each in told["participants"])
    messages = [_message(rng, told["id"], line, line["from"] == guest) for line in told["messages"]]
    ended = iso(instant(messages[-1]["timestamp"]).timestamp() + 30)
    sides = ((guest, "customer", "inbound"), (agent, "agent", "outbound"))
    participants = [_participant(rng, side, told["startTime"], ended, messages) for side in sides]
    participants[0]["externalContactId"] = contact_id
    participants[1]["userId"] = user("agent")["id"]
    conversation: Document = {
        "id": told["id"],
        "startTime": told["startTime"],
        "endTime": ended,
        "participants": participants,
        "selfUri": f"/api/v2/conversations/{told['id']}",
    }
    return Chat(
        conversation=conversation,
        transcript={"id": told["id"], "messages": messages},
        recording=_recording(rng, conversation, messages),
    )


def _participant(
    rng: random.Random,
    side: tuple[str, str, str],
    started: str,
    ended: str,
    messages: list[Document],
) -> Document:
    participant_id, purpose, direction = side
    sent = [_detail(each) for each in messages if each["direction"] == direction]
    communication: Document = {
        "id": new_id(rng),
        "state": "disconnected",
        "direction": "inbound",
        "type": "webmessaging",
        "provider": PROVIDER,
        "connectedTime": started,
        "disconnectedTime": ended,
        "disconnectType": "client",
        "messages": sent,
    }
    return {
        "id": participant_id,
        "purpose": purpose,
        "name": purpose.capitalize(),
        "startTime": started,
        "connectedTime": started,
        "endTime": ended,
        "attributes": {},
        "messages": [communication],
    }


def _detail(message: Document) -> Document:
    """What a conversation says of a message: all but its text."""
    return {
        "messageId": message["id"],
        "messageURI": message["selfUri"],
        "messageStatus": message["status"],
        "messageTime": message["timestamp"],
        "messageMetadata": {"type": "Text"},
    }


def _message(rng: random.Random, conversation_id: str, line: Document, inbound: bool) -> Document:
    uri = f"/api/v2/conversations/messages/{conversation_id}/messages/{line['id']}"
    made: Document = {
        "id": line["id"],
        "conversationId": conversation_id,
        "timestamp": line["timestamp"],
        "direction": "inbound" if inbound else "outbound",
        "messengerType": "webmessaging",
        "fromAddress": line["from"],
        "toAddress": line["to"],
        "status": "received" if inbound else "sent",
        "textBody": line["text"],
        "normalizedMessage": _normalized(rng, line, inbound),
        "selfUri": uri,
    }
    if not inbound:
        made["createdBy"] = {**user("agent"), "version": 1}
    return made


def _normalized(rng: random.Random, line: Document, inbound: bool) -> Document:
    made: Document = {
        "id": line["id"],
        "type": "Text",
        "text": line["text"],
        "direction": "Inbound" if inbound else "Outbound",
        "originatingEntity": "Human",
        "channel": {
            "platform": "WebMessaging",
            "type": "Private",
            "time": line["timestamp"],
            "from": {"id": line["from"], "idType": "Opaque"},
            "to": {"id": line["to"], "idType": "Opaque"},
        },
    }
    if inbound and rng.random() < 0.2:
        made["type"] = "Structured"
        made["content"] = [_click(line["text"])]
    if inbound and rng.random() < 0.2:
        made["metadata"] = {"lastPage": "/checkout", "typedBefore": line["text"]}
    return made


def _click(text: str) -> Document:
    response = {"type": "QuickReply", "text": text, "payload": text}
    return {"contentType": "ButtonResponse", "buttonResponse": response}


def _recording(rng: random.Random, conversation: Document, messages: list[Document]) -> Document:
    recording_id, conversation_id = new_id(rng), conversation["id"]
    return {
        "id": recording_id,
        "conversationId": conversation_id,
        "startTime": conversation["startTime"],
        "endTime": conversation["endTime"],
        "media": "message",
        "fileState": "AVAILABLE",
        "creationTime": conversation["endTime"],
        "sessionId": conversation["participants"][0]["messages"][0]["id"],
        "recordingFileRole": "CUSTOMER_EXPERIENCE",
        "messagingTranscript": [_recorded(each) for each in messages],
        "selfUri": f"/api/v2/conversations/{conversation_id}/recordings/{recording_id}",
    }


def _recorded(message: Document) -> Document:
    return {
        "id": message["id"],
        "from": message["fromAddress"],
        "to": message["toAddress"],
        "timestamp": message["timestamp"],
        "purpose": "customer" if message["direction"] == "inbound" else "agent",
        "messageText": message["textBody"],
    }
