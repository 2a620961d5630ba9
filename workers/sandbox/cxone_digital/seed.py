"""Seeded fields and customers of Digital Engagement."""

from __future__ import annotations

import random

from workers.sandbox.seed import EPOCH, people, phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Organization

#: Customers that are known by an e-mail address besides those of Genesys.
BY_EMAIL = 10


def add(rng: random.Random, organization: Organization) -> None:
    """Add definitions; every Genesys profile and contact is a customer, and a few addresses are."""
    for each in definitions():
        organization.cxone_definitions[each["ident"]] = each
    addresses = [
        people.email(rng, rng.choice(phrases.FIRST_NAMES), rng.choice(phrases.LAST_NAMES))
        for _ in range(BY_EMAIL)
    ]
    for customer_id in (*organization.customers, *(f"email_{each}" for each in addresses)):
        organization.cxone_customers[customer_id] = customer(rng, customer_id)


def definitions() -> list[Document]:
    """Fields of each type; the customer number is required, and every seeded customer has one."""
    lists: dict[str, tuple[str, ...]] = {
        "loyalty_tier": phrases.TIERS,
        "preferred_language": phrases.LANGUAGES,
        "newsletter": ("true", "false"),
    }
    texts = ("city", "notes", "crm_id", "lifetime_value", "member_since", "open_cases")
    return [
        _definition("customer_number", "text", required=True),
        *(_definition(ident, "text") for ident in texts),
        _definition("email", "email"),
        *(_definition(ident, "list", values) for ident, values in lists.items()),
    ]


def customer(rng: random.Random, customer_id: str) -> Document:
    """A customer with its number and perhaps a city."""
    fields = {"customer_number": f"{rng.randrange(10**6):08}"}
    if rng.random() < 0.5:
        fields["city"] = rng.choice(phrases.CITIES)
    stamp = iso(EPOCH)
    listed = [{"ident": k, "value": v, "updatedAt": stamp} for k, v in fields.items()]
    return {"id": customer_id, "customFields": listed}


def _definition(
    ident: str, kind: str, values: tuple[str, ...] = (), *, required: bool = False
) -> Document:
    label = ident.replace("_", " ").capitalize()
    rules = {"isRequired": required, "values": list(values)}
    return {"ident": ident, "label": label, "type": kind, **rules}
