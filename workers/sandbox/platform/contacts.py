"""External contacts: reading them, resolved and as they are, and writing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.notifications.contact_events import contact_changed
from workers.sandbox.platform import contact_patch, contact_shape, identifiers
from workers.sandbox.platform.contact_rules import in_order
from workers.sandbox.platform.errors import invalid, not_found
from workers.sandbox.platform.permissions import check_division
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.wire import encode, later
from workers.sandbox.world import Document

VIEW = "externalContacts:contact:view"
EDIT = "externalContacts:contact:edit"
#: As many as one bulk read may ask for; the vendor publishes no number [?].
LARGEST_BULK = 100
_EXPANSIONS = frozenset({"externalOrganization", "externalDataSources", "identifiers", "division"})
_CONTACT = Shape(contact_shape.ExternalContact)
_PATCH = Shape(contact_shape.PatchRequest)
_BULK = Shape(contact_shape.BulkIdsRequest)
_IDENTIFIER = Shape(contact_shape.ContactIdentifier)


def contact(call: Call, contact_id: str) -> Document:
    """The record itself. Raises Refused: 404, or 403 for one in a division of others."""
    found = call.organization.external_contacts.get(contact_id)
    if found is None:
        raise not_found("contact", contact_id, "entity.not.found")
    check_division(call, found["division"]["id"])
    return found


def canonical(call: Call, contact_id: str) -> Document:
    """The contact that stands for the merge set of that one. Raises Refused as `contact`."""
    found = contact(call, contact_id)
    return contact(call, found.get("canonicalContact", {}).get("id", contact_id))


def shown(call: Call, held: Mapping[str, Any]) -> Document:
    """A contact as answers show it, with what the request asks to be expanded."""
    expanded = call.choices("expand", _EXPANSIONS | {"externalSources"})
    body = {**held}
    if "division" not in expanded:
        body["division"] = {k: v for k, v in held["division"].items() if k != "name"}
    if schema := held.get("schema"):
        body["schema"] = {**call.organization.contact_schemas.get(schema["id"], schema)}
    if "identifiers" in expanded:
        body["identifiers"] = identifiers.of(held)
    return body


def read_contact(call: Call) -> Answer:
    """`GET …/contacts/{contactId}`: the canonical contact of that one's merge set."""
    return Answer(body=shown(call, canonical(call, call.path["contactId"])))


def read_unresolved(call: Call) -> Answer:
    """`GET …/contacts/{contactId}/unresolved`: the record itself."""
    return Answer(body=shown(call, contact(call, call.path["contactId"])))


def list_identifiers(call: Call) -> Answer:
    """`GET …/contacts/{contactId}/identifiers` → `{entities[{type, value}]}`."""
    held = canonical(call, call.path["contactId"])
    return Answer(body={"entities": identifiers.of(held)})


def put_contact(call: Call) -> Answer:
    """`PUT …/contacts/{contactId}`: replaces what a client may write of the canonical contact.

    Fields that are left out are gone; those of the system may be sent, and are ignored.
    """
    held = canonical(call, call.path["contactId"])
    sent = in_order(call.organization, _CONTACT.read(call))
    own = {name: value for name, value in held.items() if name not in contact_shape.WRITABLE}
    own["modifyDate"] = later(held["modifyDate"], call.now)
    new = {**own, "division": held["division"], **sent}
    names = sorted(name for name in held.keys() | new.keys() if held.get(name) != new.get(name))
    call.organization.external_contacts[held["id"]] = new
    call.effect("contact.put", held["id"], changed=names)
    call.notify([contact_changed(new, call.now)])
    return Answer(body=shown(call, new))


def patch_contact(call: Call) -> Answer:
    """`PATCH …/contacts/{contactId}` `{changes[{field, action, value}]}`, all of them or none.

    The changed contact is judged as a PUT of it is.
    """
    held = canonical(call, call.path["contactId"])
    changed = contact_patch.changed(held, _PATCH.read(call).get("changes", []))
    return put_contact(replace(call, raw=encode(changed)))


def read_many(call: Call) -> Answer:
    """`POST /externalcontacts/bulk/contacts` `{entities[{id}]}`: the canonical contacts."""
    return _bulk(call, canonical)


def read_many_unresolved(call: Call) -> Answer:
    """`POST …/bulk/contacts/unresolved`: the records themselves."""
    return _bulk(call, contact)


def look_up(call: Call) -> Answer:
    """`POST …/identifierlookup/contacts` `{type, value}`: whose e-mail or phone that is."""
    asked = _IDENTIFIER.read(call)
    wanted = identifiers.comparable(asked["type"], asked["value"])
    for each in call.organization.external_contacts.values():
        named = (identifiers.comparable(one["type"], one["value"]) for one in identifiers.of(each))
        if "mergedTo" not in each and wanted in named:
            check_division(call, each["division"]["id"])
            return Answer(body=shown(call, each))
    raise not_found("contact", f"with that {asked['type']}")


def _bulk(call: Call, read: Callable[[Call, str], Document]) -> Answer:
    asked = [each.get("id", "") for each in _BULK.read(call).get("entities", [])]
    if not 1 <= len(asked) <= LARGEST_BULK:
        raise invalid("entities", f"must name from 1 to {LARGEST_BULK} contacts")
    known = call.organization.external_contacts
    results = [
        {"id": each, "success": True, "status": 200, "entity": shown(call, read(call, each))}
        if each in known
        else {"id": each, "success": False, "status": 404, "error": _missing(each)}
        for each in asked
    ]
    failed = [index for index, each in enumerate(results) if not each["success"]]
    return Answer(body={"results": results, "errorCount": len(failed), "errorIndexes": failed})


def _missing(contact_id: str) -> Document:
    refusal = not_found("contact", contact_id, "entity.not.found")
    message = {"code": refusal.code, "message": refusal.message, "status": refusal.status}
    return {**message, "retryable": False, "details": [], "entity": {"id": contact_id}}


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    held = canonical(call, call.path["contactId"])
    overlay(held, changes)
    held["modifyDate"] = later(held["modifyDate"], call.now)
    call.effect("foreign.write", held["id"])
    call.notify([contact_changed(held, call.now)])


_EXPAND = frozenset({"expand"})
_PATH = "/api/v2/externalcontacts/contacts/{contactId}"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        any_of=("relate:contact:view", VIEW),
        handle=read_contact,
        query=_EXPAND,
        repeatable=_EXPAND,
        foreign=_change,
        writes="externalContacts",
    ),
    Route(
        method="GET",
        path=f"{_PATH}/unresolved",
        any_of=(VIEW,),
        handle=read_unresolved,
        query=_EXPAND,
        repeatable=_EXPAND,
        foreign=_change,
        writes="externalContacts",
    ),
    Route(method="GET", path=f"{_PATH}/identifiers", any_of=(VIEW,), handle=list_identifiers),
    Route(
        method="PUT",
        path=_PATH,
        any_of=("relate:contact:edit", EDIT),
        handle=put_contact,
        foreign=_change,
        writes="externalContacts",
    ),
    Route(
        method="PATCH",
        path=_PATH,
        any_of=(EDIT,),
        handle=patch_contact,
        foreign=_change,
        writes="externalContacts",
    ),
    Route(
        method="POST",
        path="/api/v2/externalcontacts/bulk/contacts",
        any_of=(VIEW,),
        handle=read_many,
    ),
    Route(
        method="POST",
        path="/api/v2/externalcontacts/bulk/contacts/unresolved",
        any_of=(VIEW,),
        handle=read_many_unresolved,
    ),
    Route(
        method="POST",
        path="/api/v2/externalcontacts/identifierlookup/contacts",
        any_of=(VIEW,),
        handle=look_up,
        query=_EXPAND,
        repeatable=_EXPAND,
    ),
)
