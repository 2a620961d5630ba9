"""The contact profiles of Cognigy.AI as a store to sync to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.apis.cognigy import profiles
from tasks.apis.cognigy.consent import objection
from tasks.apis.cognigy.settings import ID_PATTERN, CognigySettings
from tasks.apis.cognigy.successors import Successors
from tasks.apis.customers import Customer, CustomerAttribute, NameRule, Shape
from tasks.apis.http import Http
from tasks.errors import NotFound, Rejected, Unsupported
from tasks.wire_values import on_the_wire

NAMES = NameRule(
    pattern=re.compile(r"[A-Za-z0-9_]+"),
    sentence="may hold letters A to Z, digits and _ only",
)


@dataclass(frozen=True, kw_only=True)
class CognigyProfiles:
    """Implements the `CustomerStore` seam on profiles, for one attempt.

    A profile is read before it is written, once, for what the person has agreed to.
    """

    http: Http
    settings: CognigySettings
    successors: Successors
    _known: dict[str, Customer | NotFound] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> Shape:
        return Shape(
            target="cognigy",
            types=frozenset({"string", "number", "boolean"}),
            payload=profiles.LONGEST_PAYLOAD,
            name_rule=NAMES,
            names_fold_case=True,
            partial=True,
            readable=True,
            creates=self.settings.create_missing,
            removes=self.settings.null_removes,
        )

    def definitions(self) -> None:
        return None

    def read(self, customer_id: str) -> Customer | None:
        """Return the profile, or the one that has taken its place; see `CustomerStore.read`."""
        found = self._known[customer_id] = self._find(customer_id)
        return None if isinstance(found, NotFound) else found

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        """Set the attributes. Raises `Rejected` where the person does not allow it."""
        self._patch(customer_id, {each.name: on_the_wire(each, self.shape) for each in attributes})

    def create(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        """Make a profile with `customer_id` as its contact id; see `create_profile`."""
        project_id = self.settings.project_id
        if not (self.settings.create_missing and project_id):
            raise Unsupported("sync: no profile is made without create_missing in the [sync] table")
        if isinstance(self._seen(customer_id), Customer):
            self.put_attributes(customer_id, attributes)
        else:
            fields = {each.name: on_the_wire(each, self.shape) for each in attributes}
            made = profiles.create_profile(self.http, project_id, customer_id, fields)
            self.successors.remember(customer_id, made)
            del self._known[customer_id]

    def remove(self, customer_id: str, names: Sequence[str]) -> None:
        """Set the fields to null. Raises `Rejected` where the person does not allow it."""
        if not self.settings.null_removes:
            raise Unsupported("sync: no field is removed without null_removes in the [sync] table")
        self._patch(customer_id, dict.fromkeys(names))

    def _patch(self, customer_id: str, fields: Mapping[str, object]) -> None:
        seen = self._seen(customer_id)
        if isinstance(seen, NotFound):
            raise seen
        if not seen.writable:
            raise Rejected(f"customer: must not be written, {seen.reason}")
        profiles.patch_profile(self.http, seen.id, fields)

    def _seen(self, customer_id: str) -> Customer | NotFound:
        """Return the profile as it was read last, reading it where it has not been."""
        if customer_id not in self._known:
            self.read(customer_id)
        return self._known[customer_id]

    def _find(self, customer_id: str) -> Customer | NotFound:
        profile_id = self._current(customer_id)
        try:
            fields = profiles.read_profile(self.http, profile_id)
        except NotFound as error:
            return error
        reason = objection(fields)
        return Customer(id=profile_id, attributes=fields, writable=not reason, reason=reason)

    def _current(self, customer_id: str) -> str:
        """Return the id of the profile to ask for. Raises `Rejected` for what is no id of one."""
        if not re.fullmatch(ID_PATTERN, customer_id):
            raise Rejected("customer_id: must be a profile's id, 24 characters of a-z and 0-9")
        return self.successors.of(customer_id) or customer_id
