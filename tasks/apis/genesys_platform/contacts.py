"""Contacts as the source of a sync, by the `platform` contract."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apis.bodies import read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Contact
from tasks.apis.genesys_platform.external_contact import CONTACT, VIEW, ExternalContact
from tasks.apis.http import Http


@dataclass(frozen=True, kw_only=True)
class PlatformContacts:
    """Implements the `Contacts` seam on external contacts."""

    http: Http

    def read_contact(self, contact_id: str) -> Contact:
        """Return the canonical contact of its merge set, under its own id."""
        call = Call(method="GET", route=CONTACT, ids={"contact_id": contact_id}, needs=VIEW)
        found = read_as(ExternalContact, self.http, call)
        return Contact(id=found.id, attributes=found.attributes())
