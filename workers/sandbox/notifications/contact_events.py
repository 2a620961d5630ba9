"""What a contact's event says: the contact after the change, as the vendor's model has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workers.sandbox.notifications.events import Event, event
from workers.sandbox.notifications.guide_views import profile_view
from workers.sandbox.notifications.topics import CONTACT
from workers.sandbox.wire import digest

if TYPE_CHECKING:
    from workers.sandbox.world import Document

#: What it says otherwise than an answer does: by ids alone, or not at all.
_OTHERWISE = frozenset({"canonicalContact", "mergedTo", "mergeOperation", "selfUri"})
_LISTED = ("mergeSet", "mergedFrom")


def contact_changed(held: Mapping[str, Any], at: float) -> Event:
    """A contact was written, or merged into another."""
    body = {name: value for name, value in held.items() if name not in _OTHERWISE}
    body |= {name: [each["id"] for each in held[name]] for name in _LISTED if name in held}
    body |= {name: _bare(held[name]) for name in ("division", "schema") if name in held}
    if "externalIds" in held:
        body["externalIds"] = [_external_id(each) for each in held["externalIds"]]
    canonical: str = held.get("canonicalContact", held)["id"]
    body["canonicalContactId"] = canonical
    if "mergedTo" in held:
        body["mergedTo"] = held["mergedTo"]["id"]
    if operation := held.get("mergeOperation"):
        body["mergeOperation"] = {f"{name}Id": each["id"] for name, each in operation.items()}
    if canonical == held["id"]:
        occurrence = f"changed:{canonical}:{held['modifyDate']}"
    else:
        occurrence = f"merged:{canonical}:{digest(sorted(body.get('mergeSet', ())))}"
    return event(CONTACT, held["id"], at, body, occurrence)


def merge_set_changed(
    contacts: Mapping[str, Document], merged: Mapping[str, Any], at: float
) -> Iterator[Event]:
    """Contacts were merged: each of the merge set says so, the new one last."""
    return (contact_changed(contacts[each["id"]], at) for each in merged["mergeSet"])


def profiles_merged(
    profiles: Mapping[str, Document], owner: Mapping[str, Any], merged: Iterable[str], at: float
) -> Iterator[Event]:
    """Guest profiles were merged into another: each of them says so, and then their owner."""
    known = (profiles[each] for each in merged if each in profiles)
    return (contact_changed(profile_view(each, owner, at), at) for each in (*known, owner))


def _bare(reference: Mapping[str, Any]) -> Document:
    return {name: reference[name] for name in ("id", "version") if name in reference}


def _external_id(held: Mapping[str, Any]) -> Document:
    return {**held, "externalSource": _bare(held["externalSource"])}
