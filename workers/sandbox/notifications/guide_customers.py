"""Customers of an organisation as the guides describe it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from workers.sandbox.genesys.profiles import merged_attributes
from workers.sandbox.notifications import endings
from workers.sandbox.notifications.contact_events import contact_changed, profiles_merged
from workers.sandbox.notifications.conversation_events import (
    attributes_set,
    customer_ended,
    message_conversation,
)
from workers.sandbox.notifications.customers import FIRST, Customers
from workers.sandbox.notifications.events import Event
from workers.sandbox.notifications.guide_views import call_view, chat_view, profile_view
from workers.sandbox.notifications.topics import ATTRIBUTES, CONTACT, QUEUE_MESSAGES
from workers.sandbox.seed import HOUR, chats, conversations, people
from workers.sandbox.wire import iso, later
from workers.sandbox.world import Document


class GuideCustomers(Customers):
    """They change interactions, voice conversations and guest profiles.

    A profile can be read as a contact: a merge is told of the contacts that profiles are.
    """

    def end_chat(self, at: float) -> Iterable[Event]:
        """A chat that began an hour ago is completed."""
        chat = chats.interaction(self.rng, started=at - HOUR, state="active")
        # Others are found by nobody who missed their end: the guides' query asks for these alone.
        chat["type"] = "webmessaging"
        self.organization.interactions[chat["id"]] = chat
        return list(endings.complete(self.organization.id, chat, at))

    def merge(self, at: float) -> Iterable[Event]:
        """Two profiles that are new become one."""
        guest, target = self._add_profile(at), self._add_profile(at)
        target["customAttributes"] = merged_attributes(target, [guest], "target_wins")
        target["modifiedDate"] = iso(at)
        people.link(target, [guest])
        merged = (guest["profileId"],)
        return list(profiles_merged(self.organization.profiles, target, merged, at))

    def ongoing(self, at: float) -> Document:
        """A conversation that goes on."""
        known = itertools.islice(self.organization.conversations.values(), FIRST)
        ongoing = [each for each in known if each["state"] == "active"]
        return self.rng.choice(ongoing) if ongoing else self._call(at)

    def give(self, conversation: Document, values: dict[str, str], at: float) -> Event:
        """Lay attributes over those of the first who is still there."""
        participant = next(
            (e for e in conversation["participants"] if e["state"] != "disconnected"),
            conversation["participants"][0],
        )
        participant["participantAttributes"] = {**participant["participantAttributes"], **values}
        participant["lastUpdated"] = later(participant["lastUpdated"], at)
        return _attributes(conversation, participant, at)

    def show(self, told: Event, at: float) -> Event:
        """The event that would tell now what `told` was about."""
        held, body = self.organization, told.body
        if told.template == CONTACT:
            profile, owner = (held.profiles[body[name]] for name in ("id", "canonicalContactId"))
            return contact_changed(profile_view(profile, owner, at), at)
        if told.template == QUEUE_MESSAGES:
            return message_conversation(held.id, chat_view(held.interactions[body["id"]]), at)
        if told.template == ATTRIBUTES:
            conversation = held.conversations[told.object_id]
            return _attributes(conversation, _participant(conversation, body), at)
        chat = chat_view(held.interactions[told.object_id])
        return customer_ended(chat, _participant(chat, body), at)

    def _call(self, at: float) -> Document:
        made = conversations.conversation(self.rng, started=at - HOUR, participants=2)
        contact = people.contact(self.rng)
        made["externalContactId"] = contact["contactId"]
        self.organization.contacts[contact["contactId"]] = contact
        self._add_customer(contact["contactId"])
        self.organization.put_conversation(made)
        return made

    def _add_profile(self, at: float) -> Document:
        made = people.profile(self.rng, born=at)
        self.organization.profiles[made["profileId"]] = made
        self._add_customer(made["profileId"])
        return made

    def _add_customer(self, customer_id: str) -> None:
        # Everybody is a customer of CXone's, as those of the seed are.
        self.organization.customers[customer_id] = {"customerId": customer_id, "attributes": {}}


def _attributes(conversation: Document, participant: Document, at: float) -> Event:
    shown = call_view(conversation, [participant])
    return attributes_set(shown, shown["participants"][0], at)


def _participant(conversation: Document, body: Document) -> Document:
    everyone: list[Document] = conversation["participants"]
    return next(each for each in everyone if each["id"] == body["participantId"])
