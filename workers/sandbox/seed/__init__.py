"""The seeded world: what each organisation begins with, and how to make more of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pydantic import SecretStr

from workers.sandbox.oauth import Client
from workers.sandbox.seed import chats, configurations, conversations, people
from workers.sandbox.world import Organization, World

#: Seeded data is dated by this, whatever the clock says: equal seeds make equal worlds.
EPOCH = 1_736_899_200.0  # 2025-01-15T00:00:00Z
HOUR = 3600.0
LONG_CONVERSATION = 60


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of everything an organisation has.

    Oddities come last, so that the first ids of every kind are plain ones: profiles with
    almost as many attributes as are allowed and profiles that are linked already,
    conversations with several pages of participants and ended ones, contacts without
    attributes, organisations without a configuration, live interactions.
    """

    profiles: int
    crowded_profiles: int
    linked_profiles: int
    conversations: int
    long_conversations: int
    ended_conversations: int
    contacts: int
    empty_contacts: int
    #: Number of the first organisation id, `org-001` for 1.
    first_organization: int
    configurations: int
    unconfigured: int
    interactions: int
    live_interactions: int


DEFAULT = Sizes(
    profiles=380,
    crowded_profiles=10,
    linked_profiles=10,
    conversations=97,
    long_conversations=3,
    ended_conversations=20,
    contacts=295,
    empty_contacts=5,
    first_organization=1,
    configurations=60,
    unconfigured=10,
    interactions=288,
    live_interactions=12,
)
ACME = Sizes(
    profiles=56,
    crowded_profiles=2,
    linked_profiles=2,
    conversations=15,
    long_conversations=1,
    ended_conversations=4,
    contacts=38,
    empty_contacts=2,
    first_organization=101,
    configurations=10,
    unconfigured=2,
    interactions=38,
    live_interactions=2,
)


#: The seeded organisations.
SIZES = {"default": DEFAULT, "acme": ACME}


def seeded_clients() -> list[Client]:
    """The clients of a fresh sandbox: all rights, and the budgets of the options."""
    seeded = (
        ("sandbox-client", "genesys", "default", "sandbox-secret"),
        ("acme-client", "genesys", "acme", "acme-secret"),
        ("sandbox-cxone", "cxone", "default", "sandbox-cxone-secret"),
        ("acme-cxone", "cxone", "acme", "acme-cxone-secret"),
        ("platform-client", "platform", "default", "platform-secret"),
        ("acme-platform", "platform", "acme", "acme-platform-secret"),
        ("sandbox-access-key", "dfo", "default", "sandbox-access-key-secret"),
        ("acme-access-key", "dfo", "acme", "acme-access-key-secret"),
        ("sandbox-application", "dfo-application", "default", "sandbox-application-secret"),
        ("sandbox-cognigy", "cognigy", "default", "sandbox-cognigy-key"),
        ("acme-cognigy", "cognigy", "acme", "acme-cognigy-key"),
    )
    return [
        Client(client_id=name, system=system, organization=organization, secret=SecretStr(secret))
        for name, system, organization, secret in seeded
    ]


def organizations(rng: random.Random) -> dict[str, Organization]:
    """The organisations `default` and `acme`, by id; nothing in them depends on the clock."""
    made = {name: Organization(id=name) for name in SIZES}
    for name, sizes in SIZES.items():
        fill(rng, made[name], sizes)
    return made


def fill(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add as much of everything as `sizes` says; every profile and contact is a customer too."""
    add_profiles(rng, organization, sizes)
    add_conversations(rng, organization, sizes)
    add_contacts(rng, organization, sizes)
    add_configurations(rng, organization, sizes)
    add_interactions(rng, organization, sizes)
    introduce(organization)
    for customer_id in (*organization.profiles, *organization.contacts):
        organization.customers[customer_id] = {"customerId": customer_id, "attributes": {}}


def introduce(organization: Organization) -> None:
    """Let three in four conversations be with a contact: it takes no chance to say with which."""
    known = list(organization.contacts)
    for number, conversation in enumerate(organization.conversations.values()):
        if number % 4:
            conversation["externalContactId"] = known[number % len(known)]


def begin_live(world: World) -> None:
    """Add live interactions to the seeded organisations of `world`; they began just now."""
    now = world.timeline.advance()
    for name, sizes in SIZES.items():
        for _ in range(sizes.live_interactions):
            made = chats.interaction(world.rng, started=now - HOUR, state="active")
            world.organization(name).interactions[made["id"]] = made


def add_profiles(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add profiles, seven in ten with consent records."""
    made = [people.profile(rng, born=EPOCH) for _ in range(sizes.profiles)]
    crowd = range(sizes.crowded_profiles)
    made += [people.profile(rng, born=EPOCH, extra_attributes=38) for _ in crowd]
    linked = [people.profile(rng, born=EPOCH) for _ in range(sizes.linked_profiles)]
    for owner, merged in zip(linked[::2], linked[1::2], strict=False):
        people.link(owner, [merged])
    for profile in (*made, *linked):
        organization.profiles[profile["profileId"]] = profile
        if rng.random() < 0.7:
            organization.consents[profile["profileId"]] = people.consents(rng)


def add_conversations(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add conversations, one an hour."""
    kinds = [(False, 0)] * sizes.conversations + [(False, LONG_CONVERSATION)] * (
        sizes.long_conversations
    )
    kinds += [(True, 0)] * sizes.ended_conversations
    for hour, (ended, participants) in enumerate(kinds):
        made = conversations.conversation(
            rng,
            started=EPOCH + hour * HOUR,
            participants=participants or rng.randint(2, 6),
            ended=ended,
        )
        organization.put_conversation(made)


def add_contacts(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add contacts."""
    for empty in [False] * sizes.contacts + [True] * sizes.empty_contacts:
        made = people.contact(rng, empty=empty)
        organization.contacts[made["contactId"]] = made


def add_configurations(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add organisation ids, the first of them with a configuration."""
    first = sizes.first_organization
    for number in range(first, first + sizes.configurations + sizes.unconfigured):
        organization_id = f"org-{number:03}"
        organization.organization_ids.append(organization_id)
        if number < first + sizes.configurations:
            made = configurations.configuration(rng, organization_id, modified=EPOCH)
            organization.configurations[organization_id] = made


def add_interactions(rng: random.Random, organization: Organization, sizes: Sizes) -> None:
    """Add completed interactions, one in every two hours."""
    for number in range(sizes.interactions):
        made = chats.interaction(rng, started=EPOCH + number * 2 * HOUR)
        organization.interactions[made["id"]] = made


__all__ = [
    "ACME",
    "DEFAULT",
    "EPOCH",
    "SIZES",
    "Sizes",
    "add_configurations",
    "add_contacts",
    "add_conversations",
    "add_interactions",
    "add_profiles",
    "begin_live",
    "chats",
    "configurations",
    "conversations",
    "fill",
    "introduce",
    "organizations",
    "people",
    "seeded_clients",
]
