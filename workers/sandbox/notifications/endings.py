"""How a conversation ends: its customer leaves, and then everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workers.sandbox.notifications.conversation_events import (
    CUSTOMERS,
    MEDIA,
    conversation_changed,
)
from workers.sandbox.notifications.events import Event
from workers.sandbox.notifications.guide_views import chat_view
from workers.sandbox.wire import iso

if TYPE_CHECKING:
    from workers.sandbox.world import Document


def end(organization: str, conversation: Document, at: float) -> Iterator[Event]:
    """End a conversation that goes on, step by step, and give the events of each step."""
    present = [each for each in conversation["participants"] if "endTime" not in each]
    customers = [each["id"] for each in present if each["purpose"] in CUSTOMERS]
    yield from _leave(organization, conversation, customers, at)
    others = [each["id"] for each in present if each["id"] not in customers]
    conversation["endTime"] = iso(at)
    yield from _leave(organization, conversation, others, at)


def complete(organization: str, interaction: Document, at: float) -> Iterator[Event]:
    """Complete an interaction of the guides that is active, and give the events of that."""
    before = chat_view(interaction)
    interaction.update(state="completed", endTime=iso(at))
    yield from conversation_changed(organization, before, chat_view(interaction), at)


def reopen(conversation: Document) -> None:
    """Let a conversation that has ended go on, with all who took part."""
    del conversation["endTime"]
    for participant in conversation["participants"]:
        participant.pop("endTime", None)
        for each in (one for field in MEDIA for one in participant.get(field, ())):
            each.pop("disconnectedTime", None)
            each.pop("disconnectType", None)
            each["state"] = "connected"


def _leave(
    organization: str, conversation: Document, leaving: list[str], at: float
) -> Iterator[Event]:
    before = {**conversation}
    conversation["participants"] = [
        _gone(each, at) if each["id"] in leaving else each for each in conversation["participants"]
    ]
    yield from conversation_changed(organization, before, conversation, at)


def _gone(participant: Document, at: float) -> Document:
    left = {"state": "disconnected", "disconnectedTime": iso(at), "disconnectType": "client"}
    media = {
        field: [each if "disconnectedTime" in each else {**each, **left} for each in held]
        for field in MEDIA
        if (held := participant.get(field))
    }
    return {**participant, "endTime": iso(at), **media}
