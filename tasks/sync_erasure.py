"""Taking away what a tenant no longer sends: fields that its map drops, or does not name any more.

Only fields of ours are erased: those that the map drops by name, and those that a sync has written
and the map as it is now would not. What others have written stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasks.apis.customers import Shape
from tasks.apis.systems import Systems
from tasks.errors import Unsupported
from tasks.mapping import SyncRules
from tasks.sync import customer_store
from tasks.target_rules import field_key


def fields_to_erase(customer_id: str, systems: Systems) -> list[str]:
    """Return the names of the customer's fields that are to go, as the target has them.

    Raises `Unsupported` for a target that removes none.
    """
    store, rules = customer_store(systems), systems.sync
    if not (store.shape.removes and store.shape.readable):
        raise Unsupported(f"sync: {store.shape.target} removes no fields as it is set")
    customer = store.read(customer_id)
    written = systems.pending.changes(customer_id).written
    gone = unmapped(written, rules, store.shape)
    names = customer.attributes if customer else ()
    return sorted(name for name in names if field_key(name, store.shape) in gone)


def unmapped(written: Iterable[str], rules: SyncRules, shape: Shape) -> frozenset[str]:
    """Return the keys of the fields that `rules` drop, and of those `written` that they forgot."""
    dropped = {field_key(name, shape) for name, rule in rules.fields.items() if rule.drop}
    named = {field_key(name, shape) for name in rules.fields}
    targets = {
        field_key(rule.target or name, shape)
        for name, rule in rules.fields.items()
        if not rule.drop
    }
    inferred = rules.unmapped == "infer"
    forgotten = {key for key in written if key in named or not inferred}
    return frozenset((dropped | forgotten) - targets)


def erase(customer_id: str, names: Sequence[str], systems: Systems) -> None:
    """Remove the fields from the customer, and forget that they were written.

    Raises `Postponed` while a sync holds the customer.
    """
    store = customer_store(systems)
    with systems.lock(f"customer:{customer_id}"):
        store.remove(customer_id, names)
        systems.pending.doubt(customer_id, [field_key(name, store.shape) for name in names])
