"""Genesys Cloud, the customer store and the memory of moments, in memory and with their rules.

Each is a real implementation of its protocol. What it was asked is kept in `calls`, as the verb and
the ids, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tasks import errors
from tasks.apis.capabilities import GUIDE, Capabilities
from tasks.apis.customers import Customer, CustomerAttribute, Definition, Shape
from tasks.apis.cxone_guide import SHAPE
from tasks.apis.genesys import Consent, Contact, Participant, Profile
from tasks.compact_json import compact_json
from tasks.messages import MAX_ATTRIBUTE_BYTES
from tasks.profile_links import links_of, reachable
from tasks.wire_values import on_the_wire


def _where(status: int) -> dict[str, Any]:
    return {"system": "genesys", "method": "GET", "route": "/fake", "status": status}


def not_found() -> errors.NotFound:
    return errors.NotFound(**_where(404))


def state_changed(named: Collection[str] = ()) -> errors.StateChanged:
    return errors.StateChanged(named=named, **_where(409))


def unprocessable(code: str) -> errors.Unprocessable:
    return errors.Unprocessable(fields={"?": code}, **_where(422))


def forbidden(missing: str) -> errors.Forbidden:
    return errors.Forbidden(missing=missing, **_where(403))


def unauthenticated() -> errors.Unauthenticated:
    return errors.Unauthenticated(**_where(401))


def outcome_unknown() -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(**_where(503))


@dataclass(kw_only=True)
class FakeGenesys:
    """Genesys Cloud by the rules of the guides; `after` runs once after the next call of a verb.

    `names_links` says whether the 409 of a merge names the sources that are linked already.
    """

    profiles: dict[str, Profile] = field(default_factory=dict)
    consents: dict[str, list[Consent]] = field(default_factory=dict)
    conversations: dict[str, list[Participant]] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    refusals: dict[str, errors.ApiError] = field(default_factory=dict)
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    names_links: bool = True
    capabilities: Capabilities = GUIDE
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]

    def add_profile(
        self, profile_id: str, links: Collection[str] = (), **attributes: object
    ) -> None:
        profile = Profile(id=profile_id, attributes=attributes, links=frozenset(links))
        self.profiles[profile_id] = profile

    def _enter(self, verb: str, *ids: str) -> None:
        self.calls.append((verb, *ids))
        if refusal := self.refusals.get(verb):
            raise refusal

    def _leave(self, verb: str) -> None:
        self.after.pop(verb, lambda: None)()

    def read_profile(self, profile_id: str) -> Profile:
        self._enter("read_profile", profile_id)
        if profile_id not in self.profiles:
            raise not_found()
        found = self.profiles[profile_id]
        self._leave("read_profile")
        return found

    def read_consents(self, profile_id: str) -> Sequence[Consent]:
        self._enter("read_consents", profile_id)
        return tuple(self.consents.get(profile_id, ()))

    def merge(self, target_id: str, source_ids: Sequence[str], policy: str) -> str:
        self._enter("merge", target_id, *source_ids, policy)
        target = self.profiles[target_id]
        sources = [self.profiles[source_id] for source_id in source_ids]
        held = links_of(self.profiles)
        owned = {link for linked in held.values() for link in linked}
        if owned & set(source_ids) or any(target_id in reachable(s.id, held) for s in sources):
            raise state_changed(owned & set(source_ids) if self.names_links else ())
        merged = {k: v for source in reversed(sources) for k, v in source.attributes.items()}
        own = target.attributes
        merged = {**own, **merged} if policy == "source_wins" else {**merged, **own}
        if len(merged) > 50:
            raise unprocessable("attribute.limit.exceeded")
        linked = target.links | set(source_ids)
        self.profiles[target_id] = replace(target, attributes=merged, links=linked)
        self._leave("merge")
        return target_id

    def participants(self, conversation_id: str) -> Iterator[Participant]:
        self._enter("participants", conversation_id)
        if conversation_id not in self.conversations:
            raise not_found()
        yield from tuple(self.conversations[conversation_id])
        self._leave("participants")

    def read_participant(self, conversation_id: str, participant_id: str) -> Participant:
        self._enter("read_participant", conversation_id, participant_id)
        for participant in self.conversations.get(conversation_id, ()):
            if participant.id == participant_id:
                self._leave("read_participant")
                return participant
        raise not_found()

    def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        self._enter("set_attributes", participant_id, *sorted(attributes))
        present = self.conversations.get(conversation_id, [])
        for index, participant in enumerate(present):
            if participant.id == participant_id:
                merged = {**participant.attributes, **attributes}
                if len(compact_json(merged)) > MAX_ATTRIBUTE_BYTES:
                    raise unprocessable("participant.attributes.too.large")
                present[index] = replace(participant, attributes=merged)
                self._leave("set_attributes")
                return
        raise not_found()

    def read_contact(self, contact_id: str) -> Contact:
        self._enter("read_contact", contact_id)
        if contact_id not in self.contacts:
            raise not_found()
        return self.contacts[contact_id]


@dataclass(kw_only=True)
class FakeCustomers:
    """A customer store that upserts, attribute by attribute; it can be told to know its customers.

    `refused` are names of fields that it takes no value of, `refusal` what it answers any write
    with, `unwritable` the reasons why customers must not be written.
    """

    customers: dict[str, dict[str, CustomerAttribute]] = field(default_factory=dict)
    shape: Shape = SHAPE
    defined: Mapping[str, Definition] | None = None
    knows_all: bool = True
    refused: set[str] = field(default_factory=set)
    unwritable: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    refusal: errors.WorkerError | None = None

    def definitions(self) -> Mapping[str, Definition] | None:
        return self.defined

    def read(self, customer_id: str) -> Customer | None:
        self.reads.append(customer_id)
        if customer_id not in self.customers:
            return None
        held = self.customers[customer_id]
        reason = self.unwritable.get(customer_id, "")
        values = {name: on_the_wire(each, self.shape) for name, each in held.items()}
        return Customer(id=customer_id, attributes=values, writable=not reason, reason=reason)

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        self.calls.append((customer_id, tuple(a.name for a in attributes)))
        if self.refusal:
            raise self.refusal
        if not self.knows_all and customer_id not in self.customers:
            raise not_found()
        if any(each.name in self.refused for each in attributes):
            raise unprocessable("refused")
        self.customers.setdefault(customer_id, {}).update({a.name: a for a in attributes})

    def create(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        self.customers.setdefault(customer_id, {})
        self.put_attributes(customer_id, attributes)

    def remove(self, customer_id: str, names: Sequence[str]) -> None:
        for name in names:
            self.customers[customer_id].pop(name, None)


@dataclass(kw_only=True)
class FakeNewest:
    """Remembers moments; a message without one counts with `first_claim`."""

    first_claim: datetime
    moments: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def outdated(
        self, resource: str, keys: Collection[str], occurred_at: datetime | None
    ) -> frozenset[str]:
        moment = occurred_at or self.first_claim
        return frozenset(k for k in keys if self.moments.get((resource, k), moment) > moment)

    def written(self, resource: str, keys: Collection[str], occurred_at: datetime | None) -> None:
        moment = occurred_at or self.first_claim
        self.moments.update({(resource, key): moment for key in keys})


@dataclass(kw_only=True)
class Locks:
    """Locks of one process; `taken` names all that were ever held."""

    held: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)

    @contextmanager
    def __call__(self, resource: str) -> Iterator[None]:
        if resource in self.held:
            raise errors.Postponed(f"{resource.partition(':')[0]} is in use", 0.5)
        self.held.add(resource)
        self.taken.append(resource)
        try:
            yield
        finally:
            self.held.discard(resource)
