"""A stream of what customers do all day, as untidy as the real one: equal seeds, equal streams.

Chats end, attributes change and contacts are merged in the organisation itself, so that whoever
missed an event finds what it told in the API.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from workers.sandbox.notifications.customers import Customers
from workers.sandbox.notifications.events import Contract, Emitted, Event
from workers.sandbox.notifications.guide_customers import GuideCustomers
from workers.sandbox.notifications.platform_customers import PlatformCustomers
from workers.sandbox.world import Organization, World

TICK_SECONDS = 0.01
#: How many places late an event comes at most, and how many are held ready for that.
REACH = 50


class Plan(BaseModel):
    """How many events a second there are, what they tell, and how untidily they come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Whose documents change.
    contract: Contract = "platform"
    rate: PositiveFloat = Field(le=20_000)
    #: After how many events it ends, duplicates not counted (None: when it is stopped).
    events: PositiveInt | None = None
    #: Shares of the events that come twice, come late, and are followed by another event that
    #: shows what they are about as it is then.
    duplicates: float = Field(default=0, ge=0, le=1)
    reordered: float = Field(default=0, ge=0, le=1)
    repeated: float = Field(default=0, ge=0, le=1)
    #: How often each thing happens, in proportion to the others.
    attributes: NonNegativeFloat = 6
    chats: NonNegativeFloat = 3
    merges: NonNegativeFloat = 1
    seed: int = 7


_CUSTOMERS: Mapping[Contract, type[Customers]] = {
    "platform": PlatformCustomers,
    "guide": GuideCustomers,
}


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
        self._customers = _CUSTOMERS[plan.contract](organization=organization, rng=self._rng)
        self._order = itertools.count()
        self._ready: list[tuple[int, int, _Delivery]] = []
        #: What is to be told again, once so many events have been made.
        self._again: list[tuple[int, int, Event]] = []
        self._made = 0
        self._owed = 0.0
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return bool(self._ready or self._again) or not self._complete

    def start(self) -> None:
        """Begin to deliver, from this moment on."""
        self._world.timeline.schedule(self._world.timeline.advance(), self._tick)

    def stop(self) -> None:
        """Deliver what has happened already, and no more."""
        self._stopped = True
        self._again.clear()
        while self._ready:
            self._deliver()

    @property
    def _complete(self) -> bool:
        enough = self.plan.events is not None and self._made >= self.plan.events
        return self._stopped or enough

    def _tick(self, at: float) -> None:
        self._owed += self.plan.rate * TICK_SECONDS
        while self._owed >= 1 and self.running:
            self._prepare(at)
            self._deliver()
            self._owed -= 1
        if self.running:
            self._world.timeline.schedule(at + TICK_SECONDS, self._tick)

    def _prepare(self, at: float) -> None:
        while len(self._ready) < REACH and not self._complete:
            self._tell_again(at, self._made)
            self._happen(at)
        if self._complete:
            self._tell_again(at)

    def _happen(self, at: float) -> None:
        does = self._customers
        weights = (self.plan.attributes, self.plan.chats, self.plan.merges)
        (happens,) = self._rng.choices((does.set_attributes, does.end_chat, does.merge), weights)
        for told in happens(at):
            self._queue(told)
            if self._rng.random() < self.plan.repeated:
                due = self._made + self._rng.randint(1, REACH)
                heapq.heappush(self._again, (due, next(self._order), told))

    def _tell_again(self, at: float, made: float = math.inf) -> None:
        while self._again and self._again[0][0] <= made:
            _, _, told = heapq.heappop(self._again)
            self._queue(self._customers.tell_again(told, at))

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
            delivery.emitted = notifications.emit_one(
                self._organization.id, delivery.event, self.plan.contract
            )
        else:
            notifications.emit_again(delivery.emitted)
        self.delivered += 1
