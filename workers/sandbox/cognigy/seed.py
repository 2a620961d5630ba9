"""Seeded projects and profiles of Cognigy.AI."""

from __future__ import annotations

import random

from workers.sandbox.cognigy.identifiers import new_id
from workers.sandbox.seed import EPOCH, phrases
from workers.sandbox.world import Document, Organization

#: How many of the Genesys contacts have a profile, under their own contact id.
PROFILES = 40

#: The vendor's default profile schema, and a few fields of the customer's own.
FIELDS = {
    "firstname": "Text",
    "lastname": "Text",
    "email": "Text",
    "gender": "Text",
    "age": "Number",
    "birthday": "Text",
    "location": "Text",
    "profilepic": "Text",
    "accepted_gdpr": "YesNo",
    "prevent_data_collection": "YesNo",
    "privacy_policy": "Complex",
    "goals": "Complex",
    "tasks": "Complex",
    "memories": "Complex",
    "customer_number": "Text",
    "loyalty_tier": "Text",
    "lifetime_value": "Number",
    "open_cases": "Number",
    "newsletter": "YesNo",
    "crm": "Complex",
}


def add(rng: random.Random, organization: Organization) -> None:
    """Add a project with its schema, and profiles; one in ten wants no data to be collected."""
    project_id = new_id(rng)
    organization.cognigy_schemas[project_id] = {"id": project_id, "fields": dict(FIELDS)}
    for number, contact_id in enumerate(list(organization.contacts)[:PROFILES]):
        made = profile(rng, project_id, contact_id)
        made["profile"]["prevent_data_collection"] = number % 10 == 9
        organization.cognigy_profiles[made["_id"]] = made


def profile(rng: random.Random, project_id: str, contact_id: str) -> Document:
    """A profile of somebody who has agreed to it."""
    return {
        "_id": new_id(rng),
        "profile": {
            "firstname": rng.choice(phrases.FIRST_NAMES),
            "lastname": rng.choice(phrases.LAST_NAMES),
            "accepted_gdpr": True,
        },
        "active": True,
        "contactIds": [contact_id],
        "projectId": project_id,
        "createdAt": int(EPOCH),
        "lastChanged": int(EPOCH),
        "createdBy": "seed",
        "lastChangedBy": "seed",
    }
