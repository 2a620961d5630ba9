"""Contacts as the source of a sync, by the `guide` contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Contact
from tasks.apis.http import Http


class _Contact(Body):
    contact_id: str
    attributes: dict[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class GuideContacts:
    """Implements the `Contacts` seam."""

    http: Http

    def read_contact(self, contact_id: str) -> Contact:
        call = Call(
            method="GET",
            route="/api/v2/interactions/contacts/{contact_id}",
            ids={"contact_id": contact_id},
            needs="interaction:contact:read",
        )
        body = read_as(_Contact, self.http, call)
        return Contact(id=body.contact_id, attributes=body.attributes)
