"""Copy a contact's attributes to the tenant's customer store.

A message first gathers: its values wait for the customer, each unless a newer one of its field does
or was written. When the customer's window has ended, whoever comes back first writes them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.apis.customers import CustomerStore
from tasks.apis.genesys import Contact
from tasks.apis.systems import Systems
from tasks.compact_json import Json
from tasks.errors import Postponed, Unsupported
from tasks.identity import choose_customer
from tasks.mapping import Mapped, map_attributes
from tasks.messages import SyncProfile
from tasks.operations import Operation, Outcome
from tasks.pending import Changes, Stamp
from tasks.refusals import shown_attribute, shown_customer
from tasks.sync_writes import Writer, Written, own
from tasks.target_rules import field_key

#: The step after which a message that comes back reads Genesys no more.
GATHERED = "gathered"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a message wants of a customer: `fields` are the target's names by key."""

    customer_id: str
    stamp: Stamp
    fields: Mapping[str, str]
    left_out: tuple[str, ...]


def sync_profile(message: SyncProfile, systems: Systems) -> Outcome:
    """Write the contact's mapped attributes to its customer, except what newer messages wrote.

    A contact without attributes to send needs no customer. Raises `Unsupported` where the tenant
    has no customer store, `Rejected` where an attribute breaks its mapping rule or there is no
    customer and the tenant parks such messages, and `Postponed` while other changes of the customer
    are gathered or another sync holds it.
    """
    store = customer_store(systems)
    asked = recall(systems) or ask(message, systems)
    if isinstance(asked, Outcome):
        return asked
    changes = systems.pending.changes(asked.customer_id)
    if changes.held:
        raise Postponed("the customer takes no writes yet", changes.held)
    if not asked.fields.keys() & changes.waiting.keys():
        return outcome(asked, changes, Written())
    with systems.lock(f"customer:{asked.customer_id}"):
        changes = systems.pending.changes(asked.customer_id)
        mine = own(changes.waiting, asked.stamp)
        values = changes.waiting if systems.sync.coalesce_seconds else mine
        writer = Writer(
            customer_id=asked.customer_id, stamp=asked.stamp, store=store, systems=systems
        )
        return outcome(asked, changes, writer.write(values))


def customer_store(systems: Systems) -> CustomerStore:
    """Return the tenant's customer store; raise `Unsupported` without one."""
    if systems.customers is None:
        raise Unsupported("sync_profile: this tenant has no [sync] target; add one to TENANTS_FILE")
    return systems.customers


def ask(message: SyncProfile, systems: Systems) -> Asked | Outcome:
    """Let the contact's values wait for its customer, or return why there is nothing to write.

    Raises `Postponed` until the customer's window ends.
    """
    contact = read_contact(message, systems)
    mapped = map_contact(message, contact, systems)
    if not mapped.attributes:
        return _nothing(message.customer_id, mapped)
    customer_id = find_customer(message, contact, systems)
    if customer_id is None:
        return _nothing(None, mapped, skipped="the contact has no customer")
    shape = customer_store(systems).shape
    values = {field_key(each.name, shape): each for each in mapped.attributes}
    asked = Asked(
        customer_id=customer_id,
        stamp=systems.pending.stamp(message.occurred_at),
        fields={key: each.name for key, each in values.items()},
        left_out=mapped.left_out,
    )
    wait = systems.pending.gather(customer_id, values, asked.stamp, systems.sync.coalesce_seconds)
    systems.steps.note(GATHERED, _noted(asked))
    if wait:
        raise Postponed("changes of the customer are gathered", wait)
    return asked


def read_contact(message: SyncProfile, systems: Systems) -> Contact:
    """Return the contact as Genesys has it, the one of its merge set that counts.

    It is not read where the message brings the values and nothing else of it is needed.
    """
    told, rules = message.attributes, systems.sync
    if told is not None:
        merges = systems.genesys.capabilities.merges_contacts and rules.resolve_contacts
        named = rules.customer_id_attribute in (None, *told)
        if message.customer_id or (named and not merges):
            return Contact(id=message.contact_id, attributes={})
    return systems.genesys.read_contact(message.contact_id)


def map_contact(message: SyncProfile, contact: Contact, systems: Systems) -> Mapped:
    """Return what is to be sent: of the values the message brings, else of the contact's.

    Raises `Rejected` naming all that the rules or the target have against it.
    """
    source = contact.attributes if message.attributes is None else message.attributes
    store = customer_store(systems)
    return map_attributes(
        source, systems.sync, store.shape, store.definitions() if source else None
    )


def find_customer(message: SyncProfile, contact: Contact, systems: Systems) -> str | None:
    """Return the id of the contact's customer, None where it has none and is to be left alone."""
    if message.customer_id:
        return message.customer_id
    known = {**contact.attributes, **(message.attributes or {})}
    return choose_customer(contact.id, known, systems.sync)


def recall(systems: Systems) -> Asked | None:
    """Return what an earlier attempt has gathered, None where some of it is not there any more."""
    noted: Any = systems.steps.done().get(GATHERED)
    if noted is None:
        return None
    asked = Asked(
        customer_id=noted["customer_id"],
        stamp=Stamp.parse(noted["stamp"]),
        fields=noted["fields"],
        left_out=tuple(noted["left_out"]),
    )
    changes = systems.pending.changes(asked.customer_id)
    if any((newest := changes.newest(key)) is None or newest < asked.stamp for key in asked.fields):
        return None
    return asked


def _noted(asked: Asked) -> Json:
    return {
        "customer_id": asked.customer_id,
        "stamp": str(asked.stamp),
        "fields": dict(asked.fields),
        "left_out": list(asked.left_out),
    }


def outcome(asked: Asked, changes: Changes, written: Written) -> Outcome:
    """Return what became of the message's values, where `changes` is as it was before the write.

    They were sent, or `joined` another message's write, or were so already, or are superseded by
    newer ones. `along` names what was written for others.
    """
    mine = own(changes.waiting, asked.stamp).keys() & asked.fields.keys()
    newer = {
        key: newest
        for key in asked.fields
        if (newest := changes.newest(key)) and newest != asked.stamp
    }
    detail: dict[str, Json] = {
        "customer_id": shown_customer(asked.customer_id),
        "sent": _names(asked, mine & written.sent),
        "along": _shown(changes.waiting[key].attribute.name for key in written.sent - mine),
        "joined": _names(asked, asked.fields.keys() - mine - newer.keys()),
        "unchanged": [] if written.skipped else _names(asked, mine - written.sent),
        "superseded": _names(asked, newer),
        "superseded_by": sorted({each.operation for each in newer.values()}),
        "left_out": _shown(asked.left_out),
    }
    if written.skipped:
        detail["skipped"] = written.skipped
    return Outcome(status="done" if written.sent else "noop", detail=detail)


def _names(asked: Asked, keys: Iterable[str]) -> list[str]:
    return _shown(asked.fields[key] for key in keys)


def _shown(names: Iterable[str]) -> list[str]:
    return sorted(map(shown_attribute, names))


def _nothing(customer_id: str | None, mapped: Mapped, *, skipped: str = "") -> Outcome:
    told: dict[str, Json] = {"skipped": skipped} if skipped else {}
    detail: dict[str, Json] = {
        "customer_id": shown_customer(customer_id) if customer_id else None,
        "sent": [],
        "superseded": [],
        "left_out": _shown(mapped.left_out),
    }
    return Outcome(status="noop", detail=detail | told)


OPERATION = Operation(message=SyncProfile, use_case=sync_profile)
