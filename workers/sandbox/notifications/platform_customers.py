"""Customers of an organisation of the Platform API."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from workers.sandbox.notifications import endings
from workers.sandbox.notifications.contact_events import contact_changed, merge_set_changed
from workers.sandbox.notifications.conversation_events import (
    attributes_set,
    customer_ended,
    message_conversation,
)
from workers.sandbox.notifications.customers import FIRST, Customers
from workers.sandbox.notifications.events import Event
from workers.sandbox.notifications.topics import ATTRIBUTES, CONTACT, QUEUE_MESSAGES
from workers.sandbox.platform import merged_contacts
from workers.sandbox.platform.seed import contacts, transcripts
from workers.sandbox.seed import HOUR
from workers.sandbox.world import Document, new_id


class PlatformCustomers(Customers):
    """They change conversations with their transcripts, and external contacts."""

    def end_chat(self, at: float) -> Iterable[Event]:
        """A chat that began an hour ago ends."""
        return list(endings.end(self.organization.id, self._open_chat(at), at))

    def merge(self, at: float) -> Iterable[Event]:
        """Two contacts that are new become one."""
        pair = [self._add_contact(kind) for kind in ("Identified", "Ephemeral")]
        merged = merged_contacts.merge(self.organization, new_id(self.rng), pair, {}, at)
        return list(merge_set_changed(self.organization.external_contacts, merged, at))

    def ongoing(self, at: float) -> Document:
        """A conversation that goes on."""
        # The first are the seed's: those that end here are added behind them.
        known = itertools.islice(self.organization.platform_conversations.values(), FIRST)
        ongoing = [each for each in known if "endTime" not in each]
        return self.rng.choice(ongoing) if ongoing else self._open_chat(at)

    def give(self, conversation: Document, values: dict[str, str], at: float) -> Event:
        """Lay attributes over those of the customer."""
        customer = conversation["participants"][0]
        customer["attributes"] = {**customer["attributes"], **values}
        return attributes_set(conversation, customer, at)

    def show(self, told: Event, at: float) -> Event:
        """The event that would tell now what `told` was about."""
        if told.template == CONTACT:
            return contact_changed(self.organization.external_contacts[told.object_id], at)
        if told.template == QUEUE_MESSAGES:
            conversation = self.organization.platform_conversations[told.body["id"]]
            return message_conversation(self.organization.id, conversation, at)
        conversation = self.organization.platform_conversations[told.object_id]
        customer = conversation["participants"][0]
        tell = attributes_set if told.template == ATTRIBUTES else customer_ended
        return tell(conversation, customer, at)

    def _open_chat(self, at: float) -> Document:
        contact_id = self.rng.choice(self._contacts())
        chat = transcripts.chat(self.rng, started=at - HOUR, contact_id=contact_id)
        endings.reopen(chat.conversation)
        conversation_id = chat.conversation["id"]
        self.organization.platform_conversations[conversation_id] = chat.conversation
        self.organization.message_transcripts[conversation_id] = chat.transcript
        return chat.conversation

    def _contacts(self) -> list[str]:
        known = itertools.islice(self.organization.external_contacts, FIRST)
        return list(known) or [self._add_contact("Identified")["id"]]

    def _add_contact(self, kind: str) -> Document:
        held = self.organization
        schema = next(iter(held.contact_schemas.values()), None) or contacts.schema(self.rng)
        made = contacts.contact(self.rng, held.home_division(), kind, schema)
        held.external_contacts[made["id"]] = made
        return made
