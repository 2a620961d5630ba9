"""What a merge makes of contacts: one of all their fields, and their ways to it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workers.sandbox.platform.contact_rules import EMAILS, PHONES
from workers.sandbox.platform.contact_shape import WRITABLE
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Organization

#: From the least to the most that is known of a person.
TYPES = ("Ephemeral", "Identified", "Curated")


def merge_set(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of all contacts that are in the merge sets of `inputs`, theirs included."""
    return list(dict.fromkeys(member for each in inputs for member in _members(each)))


def merge(
    organization: Organization,
    contact_id: str,
    inputs: Sequence[Document],
    override: Mapping[str, Any],
    at: float,
) -> Document:
    """Add a contact of that id with the inputs' fields under `override`, and let them know it.

    A field comes from the input that was modified last of those that have it. Phones and e-mails
    that clash move to free fields. As all contacts, it is a CXone customer too.
    """
    merged = {
        "id": contact_id,
        **_combined(inputs, override),
        "division": inputs[0]["division"],
        "createDate": iso(at),
        "modifyDate": iso(at),
        "type": max((each["type"] for each in inputs), key=TYPES.index),
        "mergedFrom": [reference(each["id"]) for each in inputs],
        "selfUri": _uri(contact_id),
    }
    if len(inputs) == 2:
        source, target = merged["mergedFrom"]
        both = {"sourceContact": source, "targetContact": target}
        merged["mergeOperation"] = {**both, "resultingContact": reference(contact_id)}
    organization.external_contacts[contact_id] = merged
    organization.customers[contact_id] = {"customerId": contact_id, "attributes": {}}
    for each in inputs:
        each["mergedTo"] = reference(contact_id)
    _lead(organization, contact_id, [*merge_set(inputs), contact_id])
    return merged


def reference(contact_id: str) -> Document:
    """A `ContactAddressableEntityRef`."""
    return {"id": contact_id, "selfUri": _uri(contact_id)}


def _lead(organization: Organization, canonical_id: str, members: Sequence[str]) -> None:
    """Make a contact the canonical one of a merge set."""
    for member in members:
        held = organization.external_contacts[member]
        held["canonicalContact"] = reference(canonical_id)
        held["mergeSet"] = [reference(each) for each in members]


def _members(contact: Mapping[str, Any]) -> Iterator[str]:
    return (each["id"] for each in contact.get("mergeSet", ({"id": contact["id"]},)))


def _combined(inputs: Sequence[Document], override: Mapping[str, Any]) -> Document:
    newest_first = sorted(inputs, key=lambda each: str(each["modifyDate"]), reverse=True)
    combined: Document = {}
    for each in newest_first:
        for name in WRITABLE.intersection(each).difference(PHONES, EMAILS):
            combined.setdefault(name, each[name])
    combined |= {**_spread(newest_first, PHONES), **_spread(newest_first, EMAILS), **override}
    held = [each["customFields"] for each in (override, *newest_first) if "customFields" in each]
    return {**combined, "customFields": dict(ChainMap(*held))} if held else combined


def _spread(newest_first: Sequence[Document], names: Sequence[str]) -> Document:
    """The values of fields that can stand in for each other, each once, while one is free."""
    placed: Document = {}
    displaced: Document = {}
    for name, value in ((n, each[n]) for each in newest_first for n in names if n in each):
        if name in placed:
            displaced.setdefault(_told(value), value)
        else:
            placed[name] = value
    kept = {_told(value) for value in placed.values()}
    waiting = (value for told, value in displaced.items() if told not in kept)
    free = (name for name in names if name not in placed)
    return {**placed, **dict(zip(list(free), waiting, strict=False))}


def _told(value: Any) -> str:
    """What a phone number or an e-mail address is known by."""
    text = value if isinstance(value, str) else value.get("e164", value["display"])
    return str(text).casefold()


def _uri(contact_id: str) -> str:
    return f"/api/v2/externalcontacts/contacts/{contact_id}"
