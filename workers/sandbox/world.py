"""The state of the simulated systems: organisations and what they own."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workers.sandbox.errors import not_found
from workers.sandbox.limits import TokenBuckets
from workers.sandbox.notifications.service import Notifications
from workers.sandbox.timeline import Timeline

Document = dict[str, Any]
Documents = dict[str, Document]


@dataclass(kw_only=True)
class Organization:
    """One tenant: its documents by id, as they look on the wire.

    A document of another organisation does not exist here, whoever asks.
    """

    id: str
    #: The organisations whose web messaging configurations this tenant manages.
    organization_ids: list[str] = field(default_factory=list)
    profiles: Documents = field(default_factory=dict)
    consents: Documents = field(default_factory=dict)
    conversations: Documents = field(default_factory=dict)
    contacts: Documents = field(default_factory=dict)
    customers: Documents = field(default_factory=dict)
    configurations: Documents = field(default_factory=dict)
    interactions: Documents = field(default_factory=dict)
    replications: Documents = field(default_factory=dict)
    # What the Platform API knows, which shares nothing with what the guides describe.
    divisions: Documents = field(default_factory=dict)
    contact_schemas: Documents = field(default_factory=dict)
    external_contacts: Documents = field(default_factory=dict)
    platform_conversations: Documents = field(default_factory=dict)
    web_configurations: Documents = field(default_factory=dict)
    web_deployments: Documents = field(default_factory=dict)
    recordings: Documents = field(default_factory=dict)
    masking_rules: Documents = field(default_factory=dict)
    gdpr_requests: Documents = field(default_factory=dict)
    analytics_jobs: Documents = field(default_factory=dict)
    audit_queries: Documents = field(default_factory=dict)
    # What CXone's Digital Engagement knows: fields are defined by ident.
    cxone_customers: Documents = field(default_factory=dict)
    cxone_definitions: Documents = field(default_factory=dict)
    #: How many writes each customer may still take.
    cxone_buckets: TokenBuckets = field(default_factory=TokenBuckets)
    # What Cognigy.AI knows: profile schemas by project.
    cognigy_profiles: Documents = field(default_factory=dict)
    cognigy_schemas: Documents = field(default_factory=dict)
    #: When a profile was last read or written, in epoch seconds.
    cognigy_used: dict[str, float] = field(default_factory=dict)
    #: Transcripts of message conversations, `{id, messages}`, by conversation id.
    message_transcripts: Documents = field(default_factory=dict)
    platform_audit: list[Document] = field(default_factory=list)
    audit_records: list[Document] = field(default_factory=list)
    #: Which conversation a participant belongs to.
    conversation_of: dict[str, str] = field(default_factory=dict)
    #: `lastUpdated` of a participant when it was last seen, by (client, correlation id,
    #: participant): two workers of one client do not know what the other has seen.
    seen: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def home_division(self) -> Document:
        """The division in which everything is that names no other."""
        if not self.divisions:
            division_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"home division of {self.id}"))
            self.divisions[division_id] = {"id": division_id, "name": "Home"}
        return next(iter(self.divisions.values()))

    def put_conversation(self, conversation: Document) -> None:
        """Add or replace a conversation and its participants."""
        old = self.conversations.get(conversation["id"], {})
        for participant in old.get("participants", ()):
            self.conversation_of.pop(participant["id"], None)
        for participant in conversation["participants"]:
            self.conversation_of[participant["id"]] = conversation["id"]
        self.conversations[conversation["id"]] = conversation


class World:
    """Every organisation, one clock, one source of chance, and who is told what happens."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        notifications_rng: random.Random,
        organizations: dict[str, Organization],
    ) -> None:
        self.rng = rng
        self.timeline = Timeline(clock)
        self.notifications = Notifications(self.timeline, notifications_rng)
        self.began = clock()
        self.organizations = organizations

    def organization(self, organization_id: str) -> Organization:
        """The organisation; an empty one is founded where there is none."""
        if organization_id not in self.organizations:
            self.organizations[organization_id] = Organization(id=organization_id)
        return self.organizations[organization_id]


def new_id(rng: random.Random) -> str:
    """A lower-case UUID from `rng`."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def find(documents: Documents, what: str, entity_id: str) -> Document:
    """The document with that id. Raises Refused (404) naming the id."""
    try:
        return documents[entity_id]
    except KeyError:
        raise not_found(what, entity_id) from None
