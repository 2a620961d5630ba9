"""All external contacts, by the `platform` contract.

Source: vendor's SDK for Python 257.1.0 and its Swagger document (`GET
/api/v2/externalcontacts/scan/contacts`, 10 to 200 a page).
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.contact_scan import ContactPage
from tasks.apis.genesys_platform.external_contact import VIEW, Reference
from tasks.apis.http import Http

LARGEST_PAGE = "200"


class _Cursors(Body):
    after: str | None = None


class _Page(Body):
    """`{entities[{id, …}], cursors{after}}`, without `cursors` at the end."""

    entities: list[Reference] = []
    cursors: _Cursors | None = None


@dataclass(frozen=True, kw_only=True)
class PlatformContactScan:
    """Implements the `ContactScan` seam; a cursor lives for a day."""

    http: Http

    def contact_page(self, cursor: str | None) -> ContactPage:
        call = Call(
            method="GET",
            route="/api/v2/externalcontacts/scan/contacts",
            query={"limit": LARGEST_PAGE, **({"cursor": cursor} if cursor else {})},
            needs=VIEW,
        )
        page = read_as(_Page, self.http, call)
        after = page.cursors.after if page.cursors else None
        return ContactPage(ids=[each.id for each in page.entities], next_cursor=after or None)
