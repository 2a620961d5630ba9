"""Seeded external contacts: customers and guests, a few of them merged already."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from workers.sandbox.platform import merged_contacts
from workers.sandbox.platform.phone_numbers import normalized
from workers.sandbox.seed import EPOCH, HOUR, people, phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Organization, new_id

if TYPE_CHECKING:
    from workers.sandbox.platform.seed import Sizes

INTERESTS = ("garden", "travel", "music", "running", "books")


def add(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add a schema of custom fields and contacts; each of them is a CXone customer too."""
    made = schema(rng)
    organization.contact_schemas[made["id"]] = made
    home, other = organization.home_division(), {"id": new_id(rng), "name": "Elsewhere"}
    organization.divisions[other["id"]] = other
    kinds = ["Identified"] * sizes.contacts + ["Ephemeral"] * sizes.guests
    for kind in kinds:
        _keep(organization, contact(rng, home, kind, made))
    for _ in range(sizes.merged_pairs):
        pair = [contact(rng, home, kind, made) for kind in ("Identified", "Ephemeral")]
        for each in pair:
            _keep(organization, each)
        merged_contacts.merge(organization, new_id(rng), pair, {}, EPOCH)
    for _ in range(sizes.contacts_of_another_division):
        _keep(organization, contact(rng, other, "Curated", made))


def contact(rng: random.Random, division: Document, kind: str, schema: Document) -> Document:
    """A contact of that type; a guest (`Ephemeral`) has told little of himself."""
    first, last = rng.choice(phrases.FIRST_NAMES), rng.choice(phrases.LAST_NAMES)
    contact_id = new_id(rng)
    created = iso(EPOCH - rng.uniform(1, 20_000) * HOUR)
    document: Document = {
        "id": contact_id,
        "division": division,
        "firstName": first,
        "type": kind,
        "createDate": created,
        "modifyDate": iso(EPOCH - rng.uniform(0, 24) * HOUR),
        "selfUri": f"/api/v2/externalcontacts/contacts/{contact_id}",
        "schema": {"id": schema["id"], "version": schema["version"]},
        "customFields": _custom_fields(rng),
    }
    if kind == "Ephemeral":
        return document
    phone = normalized({"display": f"+1555{rng.randrange(10**7):07}"})
    email = people.email(rng, first, last)
    source = {"name": "crm"}
    document |= {"lastName": last, "cellPhone": phone, "personalEmail": email}
    document["externalIds"] = [{"externalSource": source, "value": f"{rng.randrange(10**8):08}"}]
    return document


def schema(rng: random.Random) -> Document:
    """A schema with a field of each core type, named as the vendor's administration names them."""
    rules: dict[str, Document] = {
        "city_text": {"minLength": 1, "maxLength": 100},
        "notes_longtext": {"minLength": 0, "maxLength": 1000},
        "tier_enum": {"enum": list(phrases.TIERS)},
        "crm_identifier": {"minLength": 1, "maxLength": 50},
        "openCases_integer": {"minimum": 0, "maximum": 1000},
        "lifetimeValue_number": {"minimum": 0, "maximum": 10_000_000},
        "memberSince_date": {},
        "lastVisit_datetime": {},
        "newsletter_checkbox": {},
        "interests_tag": {"items": {"minLength": 1, "maxLength": 20}, "maxItems": 10},
    }
    properties = {
        name: {
            "title": name,
            "allOf": [{"$ref": f"#/definitions/{name.rpartition('_')[2]}"}],
            **each,
        }
        for name, each in rules.items()
    }
    draft = "http://json-schema.org/draft-04/schema#"
    document = {"$schema": draft, "title": "Customer", "type": "object", "properties": properties}
    return {
        "id": new_id(rng),
        "name": "Customer",
        "version": 1,
        "appliesTo": ["CONTACT"],
        "enabled": True,
        "jsonSchema": document,
    }


def _keep(organization: Organization, made: Document) -> None:
    organization.external_contacts[made["id"]] = made
    organization.customers[made["id"]] = {"customerId": made["id"], "attributes": {}}


def _custom_fields(rng: random.Random) -> Document:
    everything = {
        "city_text": rng.choice(phrases.CITIES),
        "notes_longtext": f"prefers {rng.choice(phrases.CITIES)}; call after 17:00",
        "tier_enum": rng.choice(phrases.TIERS),
        "crm_identifier": f"{rng.randrange(10**7):08}",
        "openCases_integer": rng.randrange(5),
        "lifetimeValue_number": Decimal(f"{rng.randrange(100_000)}.{rng.randrange(100):02}"),
        "memberSince_date": iso(1.5e9 + rng.randrange(2 * 10**8))[:10],
        "lastVisit_datetime": iso(1.7e9 + rng.randrange(10**7)),
        "newsletter_checkbox": rng.random() < 0.5,
        "interests_tag": rng.sample(INTERESTS, rng.randint(1, 3)),
    }
    names = rng.sample(list(everything), rng.randint(3, len(everything)))
    return {name: everything[name] for name in names}
