"""Requests of data subjects: to export, update or delete what is stored of a person."""

from __future__ import annotations

from typing import Literal, Required

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.platform import identifiers
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.queries import choice, flag
from workers.sandbox.platform.shapes import Own, Shape
from workers.sandbox.platform.users import user
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/gdpr/requests"
SUBJECTS = "/api/v2/gdpr/subjects"
VIEW = ("gdpr:request:view",)
USUAL_PAGE, LARGEST_PAGE = 25, 100
#: What a person can be searched for by, and the kind of identifier that it is.
SEARCHES = {"EMAIL": "Email", "PHONE": "Phone", "EXTERNAL_ID": "ExternalId", "NAME": ""}


class _ReplacementTerm(TypedDict, total=False):
    type: Literal[
        "NAME",
        "ADDRESS",
        "PHONE",
        "EMAIL",
        "TWITTER",
        "INSTAGRAM",
        "FACEBOOK",
        "APPLE_MESSAGES",
        "EXTERNAL_ID",
    ]
    existingValue: str
    updatedValue: str


class _DialerContact(TypedDict, total=False):
    id: str
    contactListId: str


class _JourneyCustomer(TypedDict, total=False):
    type: str
    id: str


class _SocialHandle(TypedDict, total=False):
    type: Literal["TWITTER", "INSTAGRAM", "FACEBOOK", "APPLE_MESSAGES"]
    value: str


class _Subject(TypedDict, total=False):
    name: str
    userId: str
    externalContactId: str
    dialerContactId: _DialerContact
    journeyCustomer: _JourneyCustomer
    socialHandle: _SocialHandle
    externalId: str
    addresses: list[str]
    phoneNumbers: list[str]
    emailAddresses: list[str]


class _Request(TypedDict, total=False):
    id: Own
    name: str
    createdBy: Own
    replacementTerms: list[_ReplacementTerm]
    requestType: Required[Literal["GDPR_EXPORT", "GDPR_UPDATE", "GDPR_DELETE"]]
    createdDate: Own
    status: Own
    subject: Required[_Subject]
    resultsUrl: Own
    resultsUrls: Own
    selfUri: Own


_SHAPE = Shape(_Request)


def list_requests(call: Call) -> Answer:
    """`GET /gdpr/requests?pageSize=&pageNumber=`, newest first."""
    size = call.number("pageSize", USUAL_PAGE, most=LARGEST_PAGE)
    number = call.number("pageNumber", 1)
    held = list(reversed(call.organization.gdpr_requests.values()))
    page = held[(number - 1) * size : number * size]
    counts = {"pageSize": size, "pageNumber": number, "total": len(held)}
    return Answer(body={"entities": page, **counts, "pageCount": -(-len(held) // size)})


def create_request(call: Call) -> Answer:
    """`POST /gdpr/requests?deleteConfirmed=` → 202; it is carried out after a while.

    Raises Refused (400) for a subject that nothing identifies, and for a deletion that is not
    confirmed.
    """
    sent = _SHAPE.read(call)
    if not sent["subject"]:
        raise bad_request("subject: must name somebody", "constraint.validation")
    deletes = sent["requestType"] == "GDPR_DELETE"
    if deletes and not flag(call, "deleteConfirmed"):
        raise bad_request("deleteConfirmed: must be true for a deletion")
    request_id = new_id(call.world.rng)
    request: Document = {
        **sent,
        "id": request_id,
        "createdBy": user(call.client),
        "createdDate": iso(call.now),
        "status": "INITIATED",
        "selfUri": f"{PATH}/{request_id}",
    }
    call.organization.gdpr_requests[request_id] = request
    contact_id = sent["subject"].get("externalContactId", "")
    detail = {"type": sent["requestType"], "external_contact": contact_id}
    call.effect("gdpr.requested", request_id, **detail)

    def end(at: float) -> None:
        request["status"] = "COMPLETED"
        if deletes:
            _delete(call, contact_id)
        call.effect("gdpr.completed", request_id, at)

    call.world.timeline.schedule(call.now + call.options.gdpr_seconds, end)
    return Answer(status=202, body=request)


def read_request(call: Call) -> Answer:
    """`GET /gdpr/requests/{requestId}`."""
    request_id = call.path["requestId"]
    try:
        return Answer(body=call.organization.gdpr_requests[request_id])
    except KeyError:
        raise not_found("GDPR request", request_id) from None


def find_subjects(call: Call) -> Answer:
    """`GET /gdpr/subjects?searchType=&searchValue=`: external contacts of that name or identifier.

    Raises Refused (400) without a value, and for search types that nothing here has.
    """
    kind = SEARCHES[choice(call, "searchType", "", tuple(SEARCHES))]
    wanted = call.query.get("searchValue", "")
    if not wanted:
        raise bad_request("searchValue: is required")
    contacts = call.organization.external_contacts.values()
    found = [_subject(each) for each in contacts if _is(each, kind, wanted)]
    return Answer(body={"entities": found, "total": len(found)})


def _is(contact: Document, kind: str, wanted: str) -> bool:
    if not kind:
        return _name(contact).casefold() == wanted.casefold()
    comparable = identifiers.comparable(kind, wanted)
    held = ((each["type"], each["value"]) for each in identifiers.of(contact))
    return any(identifiers.comparable(*each) == comparable for each in held)


def _name(contact: Document) -> str:
    return f"{contact.get('firstName', '')} {contact.get('lastName', '')}".strip()


def _subject(contact: Document) -> Document:
    def values(kind: str) -> list[str]:
        return [each["value"] for each in identifiers.of(contact) if each["type"] == kind]

    return {
        "name": _name(contact),
        "externalContactId": contact["id"],
        "emailAddresses": values("Email"),
        "phoneNumbers": values("Phone"),
    }


def _delete(call: Call, contact_id: str) -> None:
    """Delete a contact, and what was said in the conversations it took part in."""
    organization = call.organization
    organization.external_contacts.pop(contact_id, None)
    for conversation in organization.platform_conversations.values():
        if any(
            each.get("externalContactId") == contact_id for each in conversation["participants"]
        ):
            organization.message_transcripts.pop(conversation["id"], None)


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handle=list_requests,
        any_of=VIEW,
        query=frozenset({"pageSize", "pageNumber"}),
    ),
    Route(
        method="POST",
        path=PATH,
        handle=create_request,
        any_of=("gdpr:request:add",),
        query=frozenset({"deleteConfirmed"}),
    ),
    Route(method="GET", path=f"{PATH}/{{requestId}}", handle=read_request, any_of=VIEW),
    Route(
        method="GET",
        path=SUBJECTS,
        handle=find_subjects,
        any_of=("gdpr:subject:view",),
        query=frozenset({"searchType", "searchValue"}),
    ),
)
