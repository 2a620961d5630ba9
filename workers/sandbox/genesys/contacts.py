"""Contacts: the customer's attributes that a sync carries to other stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.notifications.contact_events import contact_changed
from workers.sandbox.notifications.guide_views import contact_view
from workers.sandbox.world import Document, find


def read_contact(call: Call) -> Answer:
    """`GET /interactions/contacts/{contactId}` → `{contactId, attributes}`.

    A profile is readable as a contact too, with its custom attributes, so that what a merge
    made of them can be synced under the id that the merge returned.
    """
    contact = _contact(call)
    return Answer(body={name: contact[name] for name in ("contactId", "attributes")})


def _contact(call: Call) -> Document:
    contact_id = call.path["contactId"]
    profile = call.organization.profiles.get(contact_id)
    if contact_id not in call.organization.contacts and profile is not None:
        return {"contactId": contact_id, "attributes": profile["customAttributes"]}
    return find(call.organization.contacts, "contact", contact_id)


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    contact = _contact(call)
    overlay(contact, changes)
    call.effect("foreign.write", call.path["contactId"])
    held = contact_view(contact["contactId"], contact["attributes"], call.now)
    call.notify([contact_changed(held, call.now)])


ROUTES = (
    Route(
        method="GET",
        path="/api/v2/interactions/contacts/{contactId}",
        scope="interaction:contact:read",
        handle=read_contact,
        foreign=_change,
        writes="contacts",
    ),
)
