"""Requests to delete what is stored of a data subject: of a conversation's external contacts."""

from __future__ import annotations

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys_platform.transcripts import read_conversation
from tasks.apis.http import Http
from tasks.apis.pages import Page, read_all
from tasks.compact_json import Json

REQUESTS = "/api/v2/gdpr/requests"
DELETE = "GDPR_DELETE"
PAGE_SIZE = 100
ENDED = frozenset({"COMPLETED", "ERROR"})


class _Subject(Body):
    external_contact_id: str = ""


class _Request(Body):
    id: str = ""
    request_type: str = ""
    status: str = ""
    subject: _Subject = _Subject()

    @property
    def open(self) -> bool:
        return self.request_type == DELETE and self.status not in ENDED


class _Requests(Body):
    entities: list[_Request] = []


def ask(http: Http, conversation_id: str) -> Json:
    """Ask for the deletion of each contact's data, unless that is under way; return how many.

    A conversation without an external contact has nobody that could be named.
    """
    contact_ids = read_conversation(http, conversation_id).contact_ids
    pending = _pending(http) if contact_ids else frozenset()
    missing = [each for each in contact_ids if each not in pending]
    for contact_id in missing:
        _ask(http, contact_id)
    return {"asked": len(missing), "under_way": len(contact_ids) - len(missing)}


def _pending(http: Http) -> frozenset[str]:
    """Return the contacts whose deletion has been asked for and has not ended."""
    requests = read_all(http, lambda number: _page(http, number), identity=lambda each: each.id)
    return frozenset(each.subject.external_contact_id for each in requests if each.open)


def _page(http: Http, number: int) -> Page[_Request]:
    call = Call(
        method="GET",
        route=REQUESTS,
        query={"pageSize": str(PAGE_SIZE), "pageNumber": str(number)},
        needs="gdpr:request:view",
    )
    requests = read_as(_Requests, http, call).entities
    return Page(call=call, items=requests, full=len(requests) >= PAGE_SIZE)


def _ask(http: Http, contact_id: str) -> None:
    http.call(
        Call(
            method="POST",
            route=REQUESTS,
            query={"deleteConfirmed": "true"},
            body={"requestType": DELETE, "subject": {"externalContactId": contact_id}},
            needs="gdpr:request:add",
            kind="write",
            effect=True,
        )
    )
