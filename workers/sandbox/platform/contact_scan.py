"""`GET /externalcontacts/scan/contacts`: all contacts, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused
from workers.sandbox.platform.contacts import shown
from workers.sandbox.world import Document

PATH = "/api/v2/externalcontacts/scan/contacts"
CURSOR_SECONDS = 86_400
PAGES = (10, 100, 200)


def scan(call: Call) -> Answer:
    """`?limit=&cursor=&divisionId=` → `{entities, cursors{after}}`, without `cursors` at the end.

    Contacts that were merged into another are left out [?]. Raises Refused: 422 for a cursor that
    is none, or is older than a day.
    """
    least, usual, most = PAGES
    limit = call.number("limit", usual, most=most)
    if limit < least:
        raise _refused(f"limit: must be from {least} to {most}")
    after = _after(call)
    found = [each for each in _contacts(call) if each["id"] > after]
    page = sorted(found, key=lambda each: str(each["id"]))[:limit]
    body: Document = {"entities": [shown(call, each) for each in page], "selfUri": PATH}
    if len(found) > limit:
        cursor = _cursor(page[-1]["id"], call.now + CURSOR_SECONDS)
        body |= {"cursors": {"after": cursor}, "nextUri": f"{PATH}?limit={limit}&cursor={cursor}"}
    return Answer(body=body)


def _contacts(call: Call) -> Iterator[Document]:
    wanted = call.query.get("divisionId", "*")
    if wanted != "*" and wanted not in call.organization.divisions:
        raise Refused(400, "invalid.division.id", "The specified division(s) is not valid.")
    for each in call.organization.external_contacts.values():
        division = each["division"]["id"]
        readable = call.divisions is None or division in call.divisions
        if readable and wanted in ("*", division) and "mergedTo" not in each:
            yield each


def _cursor(contact_id: str, ends: float) -> str:
    return base64.urlsafe_b64encode(f"{ends:.3f} {contact_id}".encode()).decode()


def _after(call: Call) -> str:
    cursor = call.query.get("cursor")
    if cursor is None:
        return ""
    try:
        ends, contact_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        alive = float(ends) > call.now
    except (ValueError, binascii.Error):
        alive, contact_id = False, ""
    if not alive:
        raise _refused("cursor: is invalid or expired")
    return contact_id


def _refused(message: str) -> Refused:
    return Refused(422, "unprocessable.entity", message)


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        any_of=("relate:contact:view", "externalContacts:contact:view"),
        handle=scan,
        query=frozenset({"limit", "cursor", "divisionId"}),
    ),
)
