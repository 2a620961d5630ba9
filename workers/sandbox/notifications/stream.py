"""A stream of what customers do all day, as untidy as the real one: equal seeds, equal streams.

Chats end, attributes change and contacts are merged in the organisation itself, so that whoever
missed an event finds what it told in the API.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from workers.sandbox.notifications import endings
from workers.sandbox.notifications.contact_events import merge_set_changed
from workers.sandbox.notifications.conversation_events import attributes_set
from workers.sandbox.notifications.events import Emitted, Event, event
from workers.sandbox.notifications.topics import ATTRIBUTES
from workers.sandbox.platform import merged_contacts
from workers.sandbox.platform.seed import contacts, transcripts
from workers.sandbox.seed import HOUR
from workers.sandbox.world import Document, Organization, World, new_id

TICK_SECONDS = 0.01
#: How many places late an event comes at most, and how many are held ready for that.
REACH = 50


class Plan(BaseModel):
    """How many events a second there are, what they tell, and how untidily they come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: PositiveFloat = Field(le=20_000)
    #: After how many events it ends, duplicates not counted (None: when it is stopped).
    events: PositiveInt | None = None
    #: Shares of the events that come twice, come late, and are told again in another event.
    duplicates: float = Field(default=0, ge=0, le=1)
    reordered: float = Field(default=0, ge=0, le=1)
    repeated: float = Field(default=0, ge=0, le=1)
    #: How often each thing happens, in proportion to the others.
    attributes: NonNegativeFloat = 6
    chats: NonNegativeFloat = 3
    merges: NonNegativeFloat = 1
    seed: int = 7


@dataclass(slots=True)
class _Delivery:
    event: Event
    emitted: Emitted | None = None


class Stream:
    """A stream into one organisation, from its start until it has ended or is stopped."""

    def __init__(self, world: World, organization: Organization, plan: Plan) -> None:
        self.plan = plan
        self.delivered = 0
        self._world = world
        self._organization = organization
        self._rng = random.Random(plan.seed)
        self._order = itertools.count()
        self._ready: list[tuple[int, int, _Delivery]] = []
        self._made = 0
        self._owed = 0.0
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return bool(self._ready) or not self._complete

    def start(self) -> None:
        """Begin to deliver, from this moment on."""
        self._world.timeline.schedule(self._world.timeline.advance(), self._tick)

    def stop(self) -> None:
        """Deliver what has happened already, and no more."""
        self._stopped = True
        while self._ready:
            self._deliver()

    @property
    def _complete(self) -> bool:
        enough = self.plan.events is not None and self._made >= self.plan.events
        return self._stopped or enough

    def _tick(self, at: float) -> None:
        self._owed += self.plan.rate * TICK_SECONDS
        while self._owed >= 1 and self.running:
            while len(self._ready) < REACH and not self._complete:
                self._happen(at)
            self._deliver()
            self._owed -= 1
        if self.running:
            self._world.timeline.schedule(at + TICK_SECONDS, self._tick)

    def _happen(self, at: float) -> None:
        kinds = (self._set_attributes, self._end_chat, self._merge)
        weights = (self.plan.attributes, self.plan.chats, self.plan.merges)
        (happens,) = self._rng.choices(kinds, weights)
        for told in happens(at):
            self._queue(told)
            if self._rng.random() < self.plan.repeated:
                self._queue(_told_again(told))

    def _queue(self, told: Event) -> None:
        late = self._rng.randint(1, REACH) if self._rng.random() < self.plan.reordered else 0
        delivery, place = _Delivery(told), self._made + late
        self._made += 1
        heapq.heappush(self._ready, (place, next(self._order), delivery))
        if self._rng.random() < self.plan.duplicates:
            again = place + self._rng.randint(0, REACH)
            heapq.heappush(self._ready, (again, next(self._order), delivery))

    def _deliver(self) -> None:
        _, _, delivery = heapq.heappop(self._ready)
        notifications = self._world.notifications
        if delivery.emitted is None:
            delivery.emitted = notifications.emit_one(self._organization.id, delivery.event)
        else:
            notifications.emit_again(delivery.emitted)
        self.delivered += 1

    def _set_attributes(self, at: float) -> Iterable[Event]:
        conversation = self._rng.choice(self._ongoing())
        participant = conversation["participants"][0]
        wanted = {"tier": self._rng.choice(("gold", "silver")), "visit": new_id(self._rng)}
        participant["attributes"] = {**participant["attributes"], **wanted}
        return [attributes_set(conversation, participant, at)]

    def _ongoing(self) -> list[Document]:
        # The first are the seed's: those that end here are added behind them.
        known = itertools.islice(self._organization.platform_conversations.values(), 100)
        ongoing = [each for each in known if "endTime" not in each]
        return ongoing or [self._open_chat(self._world.timeline.advance())]

    def _end_chat(self, at: float) -> Iterable[Event]:
        return list(endings.end(self._organization.id, self._open_chat(at), at))

    def _open_chat(self, at: float) -> Document:
        contact_id = self._rng.choice(self._contacts())
        chat = transcripts.chat(self._rng, started=at - HOUR, contact_id=contact_id)
        endings.reopen(chat.conversation)
        conversation_id = chat.conversation["id"]
        self._organization.platform_conversations[conversation_id] = chat.conversation
        self._organization.message_transcripts[conversation_id] = chat.transcript
        return chat.conversation

    def _contacts(self) -> list[str]:
        known = self._organization.external_contacts
        return list(itertools.islice(known, 100)) or [self._add_contact("Identified")["id"]]

    def _merge(self, at: float) -> Iterable[Event]:
        pair = [self._add_contact(kind) for kind in ("Identified", "Ephemeral")]
        merged = merged_contacts.merge(self._organization, new_id(self._rng), pair, {}, at)
        return list(merge_set_changed(self._organization.external_contacts, merged, at))

    def _add_contact(self, kind: str) -> Document:
        held = self._organization
        schema = next(iter(held.contact_schemas.values()), None) or contacts.schema(self._rng)
        made = contacts.contact(self._rng, held.home_division(), kind, schema)
        held.external_contacts[made["id"]] = made
        return made


def _told_again(told: Event) -> Event:
    """The same occurrence in a later event, whose time alone is another where it has one."""
    body, at = told.body, told.at + 1
    if told.template == ATTRIBUTES:
        body["eventTime"] += 1000
    return event(told.template, told.object_id, at, body, told.occurrence)
