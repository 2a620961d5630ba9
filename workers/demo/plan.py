"""The plan: which messages are sent, how often, by whom; and what has to come of all of them.

It is made from a seed before anything runs. What it expects follows from the data it puts into the
sandbox; of the workers' code it knows how the bridge names operations, and nothing else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from workers.demo import (
    attributes,
    bad_messages,
    deployments,
    happenings,
    merges,
    organizations,
    redactions,
    syncs,
)
from workers.demo.effects import Effect
from workers.demo.errand import REJECTED, Errand, Happening

#: Every kind of errand with its share of all messages. A new kind is one function and one line.
KINDS = (
    (attributes.errands, 0.30),
    (merges.errands, 0.16),
    (merges.errands_with_sync, 0.08),
    (syncs.errands, 0.12),
    (redactions.errands, 0.08),
    (happenings.chats, 0.06),
    (happenings.calls, 0.05),
    (happenings.merges, 0.03),
    (redactions.sweeps, 0.01),
    (deployments.errands, 0.05),
    (bad_messages.errands, 0.10),
)

#: One in so many operations is asked for by two messages: a producer that is not sure.
REPEATED = 9
#: One in so many messages arrives twice, with the same Celery id: a broker that is not sure.
REDELIVERED = 11


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An errand with its ids: of the operation, and of the Celery messages that ask for it.

    A message id that stands twice is sent twice. `named` tells whether the operation's id is an
    argument; else it is the Celery message's own. `by_us` is sent by this project's own producer,
    the rest by a stock Celery client, or by the bridge where something has to happen for it.
    """

    errand: Errand
    operation_id: str
    message_ids: tuple[str, ...]
    named: bool
    by_us: bool

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of its messages."""
        own: dict[str, Any] = {}
        if self.errand.organization != organizations.DEFAULT:
            own["tenant"] = self.errand.organization
        if self.named:
            own["operation_id"] = self.operation_id
        return {**own, **self.errand.arguments}

    def expected(self) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Yield id, task and possible endings of each message that has to end."""
        for message_id in dict.fromkeys(self.message_ids):
            yield message_id, self.errand.task, self.errand.endings
        for each in self.errand.follow_ups:
            yield f"{self.operation_id}:{each.suffix}", each.task, each.endings

    def operations(self) -> Iterator[tuple[str, str]]:
        """Yield id and task of its operation and of each that follows."""
        yield self.operation_id, self.errand.task
        for each in self.errand.follow_ups:
            yield f"{self.operation_id}:{each.suffix}", each.task


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is sent, in its order."""

    planned: tuple[Planned, ...]

    @property
    def messages(self) -> int:
        return sum(len(each.message_ids) for each in self.planned)

    @property
    def happenings(self) -> tuple[Planned, ...]:
        """What the bridge sends the messages of."""
        return tuple(each for each in self.planned if each.errand.happening)

    def contacts(self) -> Mapping[str, list[str]]:
        """Return the contacts that the bridge has to listen to by name, by organisation."""
        named: dict[str, list[str]] = {}
        for errand in (each.errand for each in self.happenings):
            if errand.happening and errand.happening.contact:
                named.setdefault(errand.organization, []).append(errand.happening.contact)
        return named

    def operations(self) -> Mapping[str, int]:
        """Return how many operations of each task have to end, follow-ups among them."""
        return Counter(task for each in self.planned for _, task in each.operations())

    def sent(self) -> Mapping[str, int]:
        """Return how many messages of each task are sent, follow-ups among them."""
        counted: Counter[str] = Counter()
        for each in self.planned:
            counted[each.errand.task] += len(each.message_ids)
            counted.update(follow_up.task for follow_up in each.errand.follow_ups)
        return counted

    def effects(self) -> Counter[Effect]:
        """Return every effect that has to happen, and how often: no other may."""
        return Counter(effect for each in self.planned for effect in each.errand.effects)


def make_plan(*, seed: int, messages: int) -> Plan:
    """Return a plan of about so many messages; equal seeds make equal plans."""
    rng = random.Random(f"demo:{seed}")
    errands = [
        errand for kind, share in KINDS for errand in kind(rng, max(1, round(share * messages)))
    ]
    rng.shuffle(errands)
    return Plan(planned=tuple(_named(rng, errands)))


def _named(rng: random.Random, errands: Iterable[Errand]) -> Iterator[Planned]:
    for number, errand in enumerate(errands, 1):
        if happening := errand.happening:
            yield told(errand, happening)
            continue
        operation_id = f"demo-{number:05}"
        good = errand.endings != REJECTED
        by_us = good and number % 2 == 0
        repeated = good and number % REPEATED == 0
        redelivered = good and number % REDELIVERED == 0
        ids = [operation_id] * (2 if repeated or redelivered else 1)
        if repeated and not by_us:
            ids = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in ids]
        yield Planned(
            errand=errand,
            operation_id=operation_id,
            message_ids=tuple(ids),
            named=by_us or repeated,
            by_us=by_us,
        )


def told(errand: Errand, happening: Happening) -> Planned:
    """Return an errand that the bridge is told of, with the ids that it gives."""
    name = happenings.operation_id(errand, happening)
    return Planned(errand=errand, operation_id=name, message_ids=(name,), named=True, by_us=False)
