"""The customer-store seam: where `sync_profile` writes to, and what each target can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

ValueType = Literal["string", "number", "boolean", "date"]
Target = Literal["cxone-guide", "cxone", "cognigy"]


@dataclass(frozen=True, kw_only=True)
class CustomerAttribute:
    """One attribute as it is meant; a `date` is an ISO 8601 text."""

    name: str
    type: ValueType
    value: str | Decimal | bool = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NameRule:
    """What a target's field names must match completely, and the same as words for a refusal."""

    pattern: re.Pattern[str]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a target can hold and do, declared by its adapter.

    `types` are the types that its wire has (any other travels as a string), `longest` the most
    characters of a text, `payload` the most bytes of a request, `names_fold_case` whether two names
    that differ in case are one field. `partial` says that a write touches the fields it names and
    no other. `readable`, `creates` and `removes` say which of the store's verbs there are; the
    others raise `Unsupported`.
    """

    target: Target
    types: AbstractSet[ValueType]
    longest: int | None = None
    payload: int | None = None
    name_rule: NameRule | None = None
    names_fold_case: bool
    partial: bool
    readable: bool
    creates: bool
    removes: bool


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A field as the target defines it: `type` is its word (`text`, `email`, `list`, …).

    `values` are the only ones that a `list` takes, empty for other types.
    """

    name: str
    type: str
    required: bool = False
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer as the target has it: values by field name, as they are on its wire.

    One that is not `writable` must not be written, for the `reason`: the person's own consent flag.
    """

    id: str
    attributes: Mapping[str, object] = field(repr=False)
    writable: bool = True
    reason: str = ""


class CustomerStore(Protocol):
    """A store of customer profiles. Ids are checked before they stand in a path.

    Every verb may raise the `ApiError` of its answer, `Postponed` (a budget, a pause, the record's
    own rate), and `Rejected` for an id that the target cannot have.
    """

    @property
    def shape(self) -> Shape: ...

    def definitions(self) -> Mapping[str, Definition] | None:
        """Return the fields that the target has by name, None where it defines none."""
        ...

    def read(self, customer_id: str, /) -> Customer | None:
        """Return the customer, None where there is none."""
        ...

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute], /) -> None:
        """Set `attributes` on the customer, leaving others alone. Idempotent.

        Where a write is not surely `partial`, the store reads first, sends the other fields along
        and reads back; it raises `Unconfirmed` where that shows something else than was written.
        Raises `NotFound` for an unknown customer, which only `create` makes.
        """
        ...

    def create(self, customer_id: str, attributes: Sequence[CustomerAttribute], /) -> None:
        """Make the customer with `attributes`. Idempotent: one that is there already is written."""
        ...

    def remove(self, customer_id: str, names: Sequence[str], /) -> None:
        """Take the fields of these names away. One that is not there is as good as removed."""
        ...
