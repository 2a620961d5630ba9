"""Syncs of contacts to CXone: whole contacts, values told by the event, contacts without any."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from workers.demo import organizations
from workers.demo.effects import synced
from workers.demo.errand import NOOP, REJECTED, Document, Errand
from workers.sandbox.seed import people


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` messages of every variant."""
    chosen = islice(cycle((plain, plain, told, plain, empty, plain, unknown)), count)
    for variant, organization in zip(chosen, organizations.in_turn(), strict=False):
        yield variant(rng, organization)


def plain(rng: random.Random, organization: str) -> Errand:
    """A contact whose attributes the worker has to read."""
    contact = people.contact(rng)
    return Errand(
        task="sync_profile",
        queue="sync",
        organization=organization,
        arguments={"contact_id": contact["contactId"]},
        effects=(synced(organization, contact["contactId"], contact["attributes"]),),
        documents=documents_of(contact),
    )


def told(rng: random.Random, organization: str) -> Errand:
    """Values that the event brought along: the contact is not read."""
    contact = people.contact(rng, empty=True)
    values = {"loyaltyTier": "gold", "customer_no": f"{rng.randrange(10**6):08}", "vip": "true"}
    return Errand(
        task="sync_profile",
        queue="sync",
        organization=organization,
        arguments={"contact_id": contact["contactId"], "attributes": values},
        effects=(synced(organization, contact["contactId"], values),),
        documents=documents_of(contact),
    )


def empty(rng: random.Random, organization: str) -> Errand:
    """A contact without attributes: there is nothing to send."""
    contact = people.contact(rng, empty=True)
    return Errand(
        task="sync_profile",
        queue="sync",
        organization=organization,
        arguments={"contact_id": contact["contactId"]},
        endings=NOOP,
        documents=documents_of(contact),
    )


def unknown(rng: random.Random, organization: str) -> Errand:
    """A contact that does not exist."""
    contact = people.contact(rng)
    return Errand(
        task="sync_profile",
        queue="sync",
        organization=organization,
        arguments={"contact_id": contact["contactId"]},
        endings=REJECTED,
    )


def documents_of(contact: dict[str, Any]) -> tuple[Document, ...]:
    """Return a contact, and the customer that it is."""
    contact_id = contact["contactId"]
    customer = {"customerId": contact_id}
    return (
        Document(kind="contacts", id=contact_id, body=contact),
        Document(kind="customers", id=contact_id, body=customer),
    )
