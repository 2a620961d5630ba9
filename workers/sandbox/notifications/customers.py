"""What customers do all day: they chat, give their particulars and turn out to be known."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workers.sandbox.notifications.events import Event
from workers.sandbox.notifications.topics import ATTRIBUTES
from workers.sandbox.world import Document, Organization, new_id

#: Of how many conversations, contacts and the like there is something to tell: the first ones.
FIRST = 100


@dataclass(kw_only=True)
class Customers(ABC):
    """The customers of an organisation: what they do changes its documents.

    Attributes never go back to what they were, and of one conversation's changes each is a
    millisecond later than what was told of it before.
    """

    organization: Organization
    rng: random.Random
    #: When what was told last of a conversation's attributes was so, in epoch milliseconds.
    _told: dict[str, int] = field(default_factory=dict, init=False)

    @abstractmethod
    def end_chat(self, at: float) -> Iterable[Event]:
        """A chat that began an hour ago ends."""

    @abstractmethod
    def merge(self, at: float) -> Iterable[Event]:
        """Two contacts that are new become one."""

    def set_attributes(self, at: float) -> Iterable[Event]:
        """A participant of a conversation that goes on gets other attributes."""
        conversation = self.ongoing(at)
        known = self._told.get(conversation["id"], 0)
        then = self._told[conversation["id"]] = max(round(at * 1000), known + 1)
        values = {"tier": self.rng.choice(("gold", "silver")), "visit": new_id(self.rng)}
        return [replace(self.give(conversation, values, then / 1000), at=at)]

    def tell_again(self, told: Event, at: float) -> Event:
        """What an event is about in another one: as it is now, not as it was."""
        if told.template != ATTRIBUTES:
            return self.show(told, at)
        then = max(round(at * 1000), self._told[told.object_id])
        self._told[told.object_id] = then
        return replace(self.show(told, then / 1000), at=at)

    @abstractmethod
    def ongoing(self, at: float) -> Document:
        """A conversation that goes on."""

    @abstractmethod
    def give(self, conversation: Document, values: dict[str, str], at: float) -> Event:
        """Lay attributes over those of a participant."""

    @abstractmethod
    def show(self, told: Event, at: float) -> Event:
        """The event that would tell now what `told` was about."""
