"""The guides' documents as the vendor's events know them: conversations, and contacts.

The guides name no events; what they keep is shown in the vendor's models, with their own ids, so
that every id in an event can be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workers.sandbox.notifications.conversation_events import CUSTOMERS
from workers.sandbox.wire import iso

if TYPE_CHECKING:
    from workers.sandbox.world import Document

#: Where an interaction's communications are kept by its type; a web message's, for others.
_FIELDS: Mapping[str, str] = {"email": "emails"}


def chat_view(interaction: Mapping[str, Any]) -> Document:
    """An interaction as a conversation; its sides are there until it is completed."""
    sides: list[Mapping[str, Any]] = interaction["participants"]
    if all(_purpose(each) not in CUSTOMERS for each in sides):
        sides = [{"id": interaction["id"], "role": "customer"}, *sides]
    return {
        "id": interaction["id"],
        "participants": [_side(interaction, each) for each in sides],
    }


def call_view(
    conversation: Mapping[str, Any], participants: Sequence[Mapping[str, Any]] | None = None
) -> Document:
    """A voice conversation, with all who take part in it or some of them."""
    shown = conversation["participants"] if participants is None else participants
    return {
        "id": conversation["id"],
        "externalContactId": conversation.get("externalContactId"),
        "participants": [_caller(conversation, each) for each in shown],
    }


def contact_view(contact_id: str, attributes: Mapping[str, Any], at: float) -> Document:
    """A contact that was written at a moment."""
    return {"id": contact_id, "modifyDate": iso(at), "customFields": attributes}


def profile_view(profile: Mapping[str, Any], owner: Mapping[str, Any], at: float) -> Document:
    """A profile, at a moment, as the contact that can be read under its id.

    Its owner is the one that it was merged into, or the profile itself.
    """
    merged = [{"id": each["profileId"]} for each in owner["links"]]
    lead = {"id": owner["profileId"]}
    return {
        "id": profile["profileId"],
        "modifyDate": profile.get("modifiedDate", iso(at)),
        "customFields": profile["customAttributes"],
        "canonicalContact": lead,
        "mergeSet": [*merged, lead],
        **({"mergedFrom": merged} if profile is owner else {"mergedTo": lead}),
    }


def _side(interaction: Mapping[str, Any], side: Mapping[str, Any]) -> Document:
    started = interaction["startTime"]
    medium = _FIELDS.get(interaction["type"], "messages")
    own = side.get("id", "")
    communication: Document = {
        "id": own,
        "state": "connected",
        "direction": "inbound",
        "type": interaction["type"],
        "messages": [_sent(e) for e in interaction["messages"] if e.get("from") == own],
    }
    shown: Document = {
        "id": own,
        "purpose": _purpose(side),
        "startTime": started,
        "connectedTime": started,
        "attributes": {},
        medium: [communication],
    }
    if interaction["state"] == "completed":
        communication |= {"state": "disconnected", "disconnectType": "client"}
        shown["endTime"] = interaction.get("endTime", started)
    return shown


def _purpose(side: Mapping[str, Any]) -> str:
    purpose: str = side.get("role", "agent")
    return purpose


def _sent(message: Mapping[str, Any]) -> Document:
    at = {"messageTime": message["timestamp"]} if "timestamp" in message else {}
    return {"messageId": message["id"], **at, "messageStatus": "sent"}


def _caller(conversation: Mapping[str, Any], participant: Mapping[str, Any]) -> Document:
    changed = participant["lastUpdated"]
    started = conversation.get("startTime", changed)
    communication = {"id": participant["id"], "state": participant["state"], "direction": "inbound"}
    shown: Document = {
        "id": participant["id"],
        "name": participant["name"],
        "purpose": participant["type"],
        "startTime": started,
        "connectedTime": started,
        "attributes": participant["participantAttributes"],
        "calls": [communication],
    }
    if participant["state"] == "disconnected":
        communication["disconnectType"] = "client"
        shown["endTime"] = changed
    return shown
