"""What a sync of a contact would change, without changing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.apis.customers import CustomerAttribute, Shape
from tasks.apis.systems import Systems
from tasks.errors import Rejected
from tasks.messages import SyncProfile
from tasks.sync import customer_store, find_customer, map_contact, read_contact
from tasks.sync_writes import is_same
from tasks.target_rules import field_key
from tasks.wire_values import WireValue, on_the_wire

Change = Literal["new", "changed", "same", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field: its value `now` (None without one) and as it `would_be`, both as on the wire.

    The change is `unknown` where the target cannot be read.
    """

    name: str
    change: Change
    now: object = field(default=None, repr=False)
    would_be: WireValue = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The differences of a contact's customer, and the attributes that are left out."""

    contact_id: str
    customer_id: str | None
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]


def preview(message: SyncProfile, systems: Systems) -> Preview:
    """Return what the message would change as things are.

    Raises what the sync would raise for the contact and its mapping, and `Rejected` for a customer
    that must not be written.
    """
    contact = read_contact(message, systems)
    mapped = map_contact(message, contact, systems)
    customer_id = find_customer(message, contact, systems)
    shape = customer_store(systems).shape
    held = read_held(customer_id, systems) if customer_id else None
    return Preview(
        contact_id=contact.id,
        customer_id=customer_id,
        differences=tuple(_differences(mapped.attributes, held, shape)),
        left_out=mapped.left_out,
    )


def read_held(customer_id: str, systems: Systems) -> Mapping[str, object] | None:
    """Return what the customer has, by key of the field; None where the target cannot be read."""
    store = customer_store(systems)
    if not store.shape.readable:
        return None
    customer = store.read(customer_id)
    if customer and not customer.writable:
        raise Rejected(f"customer_id: must not be written, {customer.reason}")
    attributes = customer.attributes if customer else {}
    return {field_key(name, store.shape): value for name, value in attributes.items()}


def _differences(
    attributes: tuple[CustomerAttribute, ...], held: Mapping[str, object] | None, shape: Shape
) -> Iterator[Difference]:
    for each in attributes:
        key, meant = field_key(each.name, shape), on_the_wire(each, shape)
        if held is None:
            yield Difference(name=each.name, change="unknown", would_be=meant)
        elif key not in held:
            yield Difference(name=each.name, change="new", would_be=meant)
        else:
            same = is_same(held[key], each, shape)
            change: Change = "same" if same else "changed"
            yield Difference(name=each.name, change=change, now=held[key], would_be=meant)
