"""Seeded conversations that go on: calls and web chats, in which agents come and go."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workers.sandbox.seed import EPOCH, HOUR, phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Organization, new_id

if TYPE_CHECKING:
    from workers.sandbox.platform.seed import Sizes

#: Which field of a participant holds communications of a kind, and who provides them.
CALLS = ("calls", "Edge V2")
CHATS = ("messages", "Webmessaging")


def add(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add conversations, one an hour, with contacts of the organisation."""
    contacts = list(organization.external_contacts)
    kinds = [(CALLS, False)] * sizes.calls + [(CHATS, False)] * sizes.chats
    kinds += [(CALLS, True)] * sizes.ended_calls
    for hour, (medium, ended) in enumerate(kinds):
        made = conversation(
            rng,
            medium=medium,
            started=EPOCH + hour * HOUR,
            contact_id=rng.choice(contacts),
            division=organization.home_division(),
            ended=ended,
        )
        organization.platform_conversations[made["id"]] = made


def conversation(
    rng: random.Random,
    *,
    medium: tuple[str, str],
    started: float,
    contact_id: str,
    division: Document,
    ended: bool = False,
) -> Document:
    """A customer's conversation of `medium`; while it goes on, its last agent is connected."""
    conversation_id = new_id(rng)
    left = ["disconnected"] * rng.randint(0, 2)
    agents = [*left, "disconnected" if ended else "connected"]
    if not ended and rng.random() < 0.3:
        agents.append("alerting")
    purpose = "external" if rng.random() < 0.2 and medium is CALLS else "customer"
    customer = participant(rng, medium, purpose, "disconnected" if ended else "connected", started)
    customer["externalContactId"] = contact_id
    queue = participant(rng, medium, "acd", "disconnected", started + 5)
    others = _agents(rng, medium, agents, started + 30)
    document = {
        "id": conversation_id,
        "startTime": iso(started),
        "participants": [customer, queue, *others],
        "divisions": [{"division": _reference(division), "entities": []}],
        "selfUri": f"/api/v2/conversations/{conversation_id}",
    }
    return {**document, "endTime": iso(started + HOUR / 2)} if ended else document


def participant(
    rng: random.Random, medium: tuple[str, str], purpose: str, state: str, started: float
) -> Document:
    """Somebody who joined at `started` (epoch seconds), with one communication in `state`."""
    field, provider = medium
    communication: Document = {
        "id": new_id(rng),
        "state": state,
        "initialState": "alerting",
        "direction": "outbound" if purpose == "agent" else "inbound",
        "provider": provider,
        "startAlertingTime": iso(started),
        "segments": [],
    }
    document: Document = {
        "id": new_id(rng),
        "startTime": iso(started),
        "purpose": purpose,
        "name": f"{rng.choice(phrases.FIRST_NAMES)} {rng.choice(phrases.LAST_NAMES)}",
        "attributes": {},
        field: [communication],
    }
    if field == "messages":
        communication |= {"type": "webmessaging", "messages": []}
    if state != "alerting":
        document["connectedTime"] = communication["connectedTime"] = iso(started + 4)
    if state == "disconnected":
        document["endTime"] = communication["disconnectedTime"] = iso(started + 20)
        communication["disconnectType"] = "client"
    return document


def _agents(
    rng: random.Random, medium: tuple[str, str], states: Sequence[str], started: float
) -> list[Document]:
    agents = []
    for index, state in enumerate(states):
        agent = participant(rng, medium, "agent", state, started + index * 25)
        attributes = {
            "queue": rng.choice(phrases.CITIES),
            "language": rng.choice(phrases.LANGUAGES),
        }
        agent |= {"userId": new_id(rng), "attributes": attributes if rng.random() < 0.6 else {}}
        agents.append(agent)
    return agents


def _reference(division: Document) -> Document:
    return {**division, "selfUri": f"/api/v2/authorization/divisions/{division['id']}"}
