"""What each organisation begins with on the Platform API."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from workers.sandbox.platform.seed import contacts, conversations, transcripts, web_deployments
from workers.sandbox.world import Organization


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of everything an organisation has; oddities come last, as everywhere."""

    contacts: int
    guests: int
    merged_pairs: int
    contacts_of_another_division: int
    calls: int
    chats: int
    ended_calls: int
    #: Message conversations that have ended, with what was said in them.
    transcripts: int


SIZES: Mapping[str, Sizes] = {
    "default": Sizes(
        contacts=120,
        guests=40,
        merged_pairs=8,
        contacts_of_another_division=6,
        calls=60,
        chats=20,
        ended_calls=10,
        transcripts=120,
    ),
    "acme": Sizes(
        contacts=24,
        guests=8,
        merged_pairs=2,
        contacts_of_another_division=2,
        calls=12,
        chats=4,
        ended_calls=2,
        transcripts=20,
    ),
}


def fill(chance: str, organizations: Mapping[str, Organization]) -> None:
    """Add everything to the seeded organisations, by chances of its own: no other data change."""
    for name, sizes in SIZES.items():
        organization = organizations[name]
        contacts.add(random.Random(f"{chance}:{name}:contacts"), organization, sizes)
        conversations.add(random.Random(f"{chance}:{name}:conversations"), organization, sizes)
        rng = random.Random(f"{chance}:{name}:transcripts")
        transcripts.add(rng, organization, sizes.transcripts)
        web_deployments.add(random.Random(f"{chance}:{name}:web-deployments"), organization)
