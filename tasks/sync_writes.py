"""Writing what waits for a customer: the newest value of every field, in one call.

Whoever holds the customer's lock writes everything that waits, its own values and those of other
messages. Values that the customer has already are not written. A store that refuses them together
is given the message's own alone, so that nobody's values keep another's from being written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.apis.customers import Customer, CustomerAttribute, CustomerStore, Shape
from tasks.apis.systems import Systems
from tasks.errors import BadRequest, NotFound, Postponed, Rejected, Unprocessable, Unsupported
from tasks.pending import Stamp, Waiting
from tasks.refusals import shown_attribute
from tasks.target_rules import field_key, missing_fields
from tasks.wire_values import on_the_wire

#: What a store says of values that it does not take, those of others perhaps.
REFUSALS = (BadRequest, Unprocessable, Rejected)

Values = Mapping[str, Waiting]


@dataclass(frozen=True, kw_only=True)
class Written:
    """The fields that were written, and why nothing was where that is so on purpose."""

    sent: frozenset[str] = frozenset()
    skipped: str = ""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes to one customer, whose lock is held, for the message whose values have `stamp`."""

    customer_id: str
    stamp: Stamp
    store: CustomerStore
    systems: Systems

    def write(self, values: Values) -> Written:
        """Write those of `values` that are not so already.

        Raises what the store refuses the message's own values with, and `Rejected` where there is
        no customer; those values wait no longer then. After any other error all of them do.
        """
        try:
            return self._write(values)
        except REFUSALS:
            mine = own(values, self.stamp)
            if mine.keys() == values.keys():
                self._drop(mine)
                raise
        except (NotFound, Unsupported):
            self._drop(values)
            raise
        return self.write(mine)

    def _write(self, values: Values) -> Written:
        changed = {name: each for name, each in values.items() if not each.same}
        if changed and self.store.shape.readable:
            customer = self.store.read(self.customer_id)
            if customer is None:
                return self._missing(values)
            if not customer.writable:
                return self._skip(values, customer.reason)
            changed = without_those_held(changed, customer.attributes, self.store.shape)
            self._check_complete(customer, changed)
        try:
            self._put(changed)
        except NotFound as error:
            return self._missing(values, error)
        self.systems.pending.written(self.customer_id, values)
        return Written(sent=frozenset(changed))

    def _check_complete(self, customer: Customer, values: Values) -> None:
        """Raise `Rejected` where the customer would be without a field that the target requires."""
        definitions = self.store.definitions() if values else None
        names = {*customer.attributes, *(each.attribute.name for each in values.values())}
        if absent := missing_fields(names, definitions or {}):
            told = ", ".join(repr(shown_attribute(name)) for name in absent)
            raise Rejected(f"attributes: the target requires {told}")

    def _missing(self, values: Values, error: NotFound | None = None) -> Written:
        """Make the customer, leave it alone, or refuse it, as the tenant has it."""
        shape, no_match = self.store.shape, self.systems.sync.no_match
        if shape.creates:
            return self._create(values)
        if no_match == "skip":
            return self._skip(values, "the customer store has no such customer")
        if no_match == "create":
            raise Unsupported(f'no_match: "create", and {shape.target} creates none as it is set')
        raise error or Rejected("customer_id: the customer store has no such customer")

    def _create(self, values: Values) -> Written:
        self._begin(values)
        self.store.create(self.customer_id, _attributes(values))
        self.systems.pending.written(self.customer_id, values)
        return Written(sent=frozenset(values))

    def _put(self, values: Values) -> None:
        if not values:
            return
        self._begin(values)
        try:
            self.store.put_attributes(self.customer_id, _attributes(values))
        except Postponed as error:
            self.systems.pending.hold(self.customer_id, error.wait)
            raise

    def _begin(self, values: Values) -> None:
        self.systems.pending.doubt(self.customer_id, list(values))

    def _skip(self, values: Values, reason: str) -> Written:
        self._drop(values)
        return Written(skipped=reason)

    def _drop(self, values: Values) -> None:
        self.systems.pending.drop(self.customer_id, own(values, self.stamp))


def own(values: Values, stamp: Stamp) -> dict[str, Waiting]:
    """Return those of `values` that have this stamp."""
    return {name: each for name, each in values.items() if each.stamp == stamp}


def without_those_held(
    values: Values, attributes: Mapping[str, object], shape: Shape
) -> dict[str, Waiting]:
    """Return those of `values` that differ from the customer's `attributes` as they were read."""
    held = {field_key(name, shape): value for name, value in attributes.items()}
    return {
        name: each
        for name, each in values.items()
        if name not in held or not is_same(held[name], each.attribute, shape)
    }


def is_same(held: object, attribute: CustomerAttribute, shape: Shape) -> bool:
    """Return whether the customer has the value already; `True` is not 1."""
    meant = on_the_wire(attribute, shape)
    return isinstance(held, bool) == isinstance(meant, bool) and held == meant


def _attributes(values: Values) -> list[CustomerAttribute]:
    return [each.attribute for each in values.values()]
