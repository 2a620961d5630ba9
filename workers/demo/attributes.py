"""Attributes of participants: set, set already, contested by another writer, too late."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from typing import Any

from workers.demo import organizations
from workers.demo.effects import attributes_set
from workers.demo.errand import NOOP, REJECTED, Document, Errand
from workers.sandbox.seed import EPOCH, conversations

REASONS = ("billing", "delivery", "complaint", "upgrade")


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` messages of every variant."""
    chosen = islice(cycle((plain, plain, contested, plain, already, plain, ended)), count)
    for variant, organization in zip(chosen, organizations.in_turn(), strict=False):
        yield variant(rng, organization)


def plain(rng: random.Random, organization: str) -> Errand:
    """Attributes for the user who is connected, whom the worker has to find."""
    conversation = _conversation(rng)
    participant = first_user(conversation)
    values = {"case_reason": rng.choice(REASONS), "case_number": f"{rng.randrange(10**6):06}"}
    return Errand(
        task="set_attributes",
        queue="attributes",
        organization=organization,
        arguments={"conversation_id": conversation["id"], "attributes": values},
        effects=(attributes_set(organization, participant["id"], values),),
        documents=(_document(conversation),),
    )


def contested(rng: random.Random, organization: str) -> Errand:
    """Somebody else changes the participant right after it was read: a 409."""
    conversation = _conversation(rng)
    participant_id = first_user(conversation)["id"]
    values = {"case_reason": rng.choice(REASONS)}
    fault = {
        "kind": "foreign_write",
        "method": "GET",
        "path": f"/api/v2/conversations/voice/participants/{participant_id}",
        "changes": {"participantAttributes": {"other_writer": "was here"}},
    }
    return Errand(
        task="set_attributes",
        queue="attributes",
        organization=organization,
        arguments={
            "conversation_id": conversation["id"],
            "participant_id": participant_id,
            "attributes": values,
        },
        effects=(attributes_set(organization, participant_id, values),),
        documents=(_document(conversation),),
        faults=(fault,),
    )


def already(rng: random.Random, organization: str) -> Errand:
    """Values that stand there already."""
    conversation = _conversation(rng)
    values = {"case_reason": rng.choice(REASONS)}
    first_user(conversation)["participantAttributes"].update(values)
    return Errand(
        task="set_attributes",
        queue="attributes",
        organization=organization,
        arguments={"conversation_id": conversation["id"], "attributes": values},
        endings=NOOP,
        documents=(_document(conversation),),
    )


def ended(rng: random.Random, organization: str) -> Errand:
    """A conversation in which nobody is left."""
    conversation = conversations.conversation(rng, started=EPOCH, participants=3, ended=True)
    return Errand(
        task="set_attributes",
        queue="attributes",
        organization=organization,
        arguments={"conversation_id": conversation["id"], "attributes": {"case_reason": "late"}},
        endings=REJECTED,
        documents=(_document(conversation),),
    )


def first_user(conversation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first connected user of a conversation, which always has one."""
    everyone: list[dict[str, Any]] = conversation["participants"]
    return next(p for p in everyone if (p["type"], p["state"]) == ("user", "connected"))


def _conversation(rng: random.Random) -> dict[str, Any]:
    size = rng.randint(2, 6)
    return conversations.conversation(rng, started=EPOCH, participants=size)


def _document(conversation: dict[str, Any]) -> Document:
    return Document(kind="conversations", id=conversation["id"], body=conversation)
