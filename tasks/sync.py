"""Copy a contact's attributes to the tenant's customer store."""

from __future__ import annotations

from collections.abc import Set

from pydantic import TypeAdapter, ValidationError

from tasks.apis.customers import CustomerStore
from tasks.apis.genesys import Contact, Contacts
from tasks.apis.systems import Lock, Newest, unlocked
from tasks.errors import Rejected, Unsupported
from tasks.fields import Identifier
from tasks.mapping import Mapped, SyncRules, map_attributes
from tasks.messages import SyncProfile
from tasks.operations import Operation, Outcome


def sync_profile(
    message: SyncProfile,
    genesys: Contacts,
    customers: CustomerStore | None,
    rules: SyncRules,
    newest: Newest,
    lock: Lock = unlocked,
) -> Outcome:
    """Write the contact's mapped attributes to its customer, except what newer messages wrote.

    The customer is locked as soon as it is known which it is. A contact without attributes to send
    needs none. Raises `Unsupported` where the tenant has no customer store, `Rejected` where an
    attribute breaks its mapping rule or no customer id can be made, and `Postponed` where another
    sync holds the customer.
    """
    if customers is None:
        raise Unsupported("sync_profile: this tenant has no [sync] target; add one to TENANTS_FILE")
    contact = read_contact(message, genesys)
    mapped = map_attributes(contact.attributes, rules)
    if not mapped.attributes:
        return _outcome(message.customer_id, sent=set(), outdated=frozenset(), mapped=mapped)
    customer_id = choose_customer(message, contact, rules)
    resource = f"customer:{customer_id}"
    names = {attribute.name for attribute in mapped.attributes}
    with lock(resource):
        outdated = newest.outdated(resource, names, message.occurred_at)
        sent = [attribute for attribute in mapped.attributes if attribute.name not in outdated]
        if sent:
            customers.put_attributes(customer_id, sent)
            newest.written(resource, names - outdated, message.occurred_at)
    return _outcome(customer_id, sent=names - outdated, outdated=outdated, mapped=mapped)


def _outcome(
    customer_id: str | None, *, sent: Set[str], outdated: Set[str], mapped: Mapped
) -> Outcome:
    return Outcome(
        status="done" if sent else "noop",
        detail={
            "customer_id": customer_id,
            "sent": sorted(sent),
            "superseded": sorted(outdated),
            "left_out": sorted(mapped.left_out),
        },
    )


def read_contact(message: SyncProfile, genesys: Contacts) -> Contact:
    """Return the contact with the values the message brings, else as Genesys has it.

    A merged contact lives on under another id; the one that Genesys answers with counts.
    """
    if message.attributes is not None:
        return Contact(id=message.contact_id, attributes=message.attributes)
    return genesys.read_contact(message.contact_id)


def choose_customer(message: SyncProfile, contact: Contact, rules: SyncRules) -> str:
    """Return the id of the customer that the contact is; see `SyncRules` for the order."""
    if message.customer_id:
        return message.customer_id
    if rules.customer_id_attribute:
        return checked_id(contact.attributes.get(rules.customer_id_attribute))
    return checked_id(rules.customer_id_template.format(contact_id=contact.id))


def checked_id(value: object) -> str:
    """Return `value` where it is an id that is safe in a path, else raise `Rejected`."""
    try:
        return TypeAdapter(Identifier).validate_python(value, strict=True)
    except ValidationError:
        raise Rejected(
            "customer_id: the message has none and the contact yields no valid one"
        ) from None


OPERATION = Operation(
    message=SyncProfile,
    use_case=lambda message, systems: sync_profile(
        message, systems.genesys, systems.customers, systems.sync, systems.newest, systems.lock
    ),
    locks=lambda message: (f"contact:{message.contact_id}",),
)
