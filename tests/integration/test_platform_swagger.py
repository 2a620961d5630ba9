"""The sandbox's Platform API and our requests to it, held against the vendor's Swagger document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tasks.apis.calls import Answer
from tests.support.platform_walk import (
    CONTACTS,
    CONVERSATIONS,
    DETAILS,
    RULES,
    Walker,
    interval,
    walk,
)
from tests.support.swagger import Exchange, swagger
from workers.sandbox.call import Route
from workers.sandbox.systems import SYSTEMS
from workers.sandbox.testing import ManualClock, running

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROUTES = SYSTEMS["platform"].routes

each_route = pytest.mark.parametrize(
    "route", [pytest.param(each, id=f"{each.method} {each.path}") for each in ROUTES]
)

ONE_OF_CALLS = "/api/v2/conversations/calls/{conversationId}"
ONE_OF_MESSAGES = "/api/v2/conversations/messages/{conversationId}"
SPOKEN = "/api/v2/speechandtextanalytics/conversations/{conversationId}"

#: Operations of the document that the sandbox does not serve, by the reason.
UNSERVED: Mapping[str, tuple[str, ...]] = {
    "deprecated: contacts/merge is what takes its place": (
        "POST /api/v2/externalcontacts/merge/contacts",
    ),
    "nothing of ours claims identifiers, or makes or links contacts: the vendor's flows do": (
        "PATCH /api/v2/externalcontacts/contacts/{contactId}/identifiers",
        "POST /api/v2/externalcontacts/contacts/{contactId}/promotion",
        "POST /api/v2/externalcontacts/contacts/enrich",
        "PUT /api/v2/externalcontacts/conversations/{conversationId}",
    ),
    "the same attributes are set for a conversation of any kind": (
        f"PATCH {ONE_OF_CALLS}/participants/{{participantId}}/attributes",
        f"PATCH {ONE_OF_MESSAGES}/participants/{{participantId}}/attributes",
    ),
    "attributes of the conversation, none of a participant": (
        "GET /api/v2/conversations/{conversationId}/secureattributes",
        "PUT /api/v2/conversations/{conversationId}/secureattributes",
        "PATCH /api/v2/conversations/{conversationId}/secureattributes",
        "GET /api/v2/conversations/{conversationId}/customattributes",
        "PUT /api/v2/conversations/{conversationId}/customattributes",
        "PATCH /api/v2/conversations/{conversationId}/customattributes",
    ),
    "a conversation's id is known before its attributes are asked for": (
        "POST /api/v2/conversations/participants/attributes/search",
    ),
    "recordings get their date of deletion one by one, with the interaction": (
        "POST /api/v2/recording/jobs",
        "GET /api/v2/recording/jobs/{jobId}",
        "PUT /api/v2/recording/jobs/{jobId}",
        "DELETE /api/v2/recording/jobs/{jobId}",
    ),
    "spoken words are not redacted": (
        "GET /api/v2/speechandtextanalytics/settings",
        f"GET {SPOKEN}/communications/{{communicationId}}/transcripturl",
    ),
}


@each_route
def test_a_route_is_an_operation_with_its_permissions_and_parameters(route: Route) -> None:
    operations = {(each.method, each.template): each for each in swagger().operations}
    operation = operations[route.method, route.path]
    wanted = {"ANY": frozenset[str](), "ALL": frozenset[str]()}
    wanted.update([operation.permissions()])
    assert {"ANY": set(route.any_of), "ALL": set(route.all_of)} == wanted
    parameters = operation.parameters("query")
    assert route.query == parameters.keys()
    assert route.repeatable == {k for k, v in parameters.items() if v["type"] == "array"}


def test_what_is_not_served_is_known_with_its_reason() -> None:
    served = {f"{each.method} {each.path}" for each in ROUTES}
    operations = {f"{each.method} {each.template}" for each in swagger().operations}
    known = [name for names in UNSERVED.values() for name in names]
    assert sorted(known) == sorted(operations - served)


#: What the document asks for and forbids at once: `useNormalizedMessage` removes `textBody`.
CONTRADICTIONS = frozenset(
    {f"GET {ONE_OF_MESSAGES}/messages/{{messageId}} → 200: body: 'textBody' is a required property"}
)


@pytest.fixture(scope="module")
def walker() -> Iterator[Walker]:
    clock = ManualClock(now=NOW.timestamp())
    with running(clock=clock, requests_per_minute=10_000) as sandbox:
        yield Walker(sandbox=sandbox, clock=clock)


@pytest.fixture(scope="module")
def walked(walker: Walker) -> list[Exchange]:
    swagger()
    walk(walker)
    return walker.wire.exchanges


@each_route
def test_a_request_for_it_and_its_answers_are_as_the_document_has_them(
    walked: list[Exchange], route: Route
) -> None:
    found = [each for each in walked if (each.method, each.template) == (route.method, route.path)]
    assert found
    assert {each.status for each in found} <= {200, 201, 202, 204}
    said = {each for exchange in found for each in (*exchange.of_request, *exchange.of_answer)}
    assert said - CONTRADICTIONS == set()


ME = "/api/v2/tokens/me"
CONTACT = f"{CONTACTS}/contacts/{{contactId}}"
MERGE = f"{CONTACTS}/contacts/merge"
CHAT = f"{CONVERSATIONS}/messages/{{conversationId}}"
BULK = f"{CHAT}/messages/bulk"
JOBS = f"{DETAILS}/details/jobs"
RULE = {
    "name": "Orders",
    "definition": "[0-9]{9}",
    "substituteCharacter": "*",
    "enabled": True,
    "type": "Custom",
}
BIG = {**RULE, "description": "x" * 600_000}


def without_token(walker: Walker) -> Answer:
    token, walker.token = walker.token, "unknown"
    try:
        return walker.exchange("GET", CONTACT, contactId="nobody")
    finally:
        walker.token = token


def without_permission(walker: Walker) -> Answer:
    walker.sandbox.put_client("platform-client", permissions=[])
    return walker.exchange("GET", CONTACT, contactId="nobody")


def twice(walker: Walker) -> Answer:
    walker.exchange("POST", RULES, body=RULE)
    return walker.exchange("POST", RULES, body=RULE)


def beyond_the_budget(walker: Walker) -> Answer:
    walker.sandbox.put_client("platform-client", requests_per_minute=1)
    walker.exchange("GET", ME)
    return walker.exchange("GET", ME)


def results_too_early(walker: Walker) -> Answer:
    job = walker.ask("POST", JOBS, body={"interval": interval(NOW, NOW + timedelta(days=1))})
    return walker.exchange("GET", f"{JOBS}/{{jobId}}/results", jobId=job["jobId"])


def expression(walker: Walker, definition: str) -> Answer:
    return walker.exchange("POST", RULES, body={**RULE, "definition": definition})


REFUSALS: tuple[tuple[int, Callable[[Walker], Answer]], ...] = (
    (400, lambda walker: walker.exchange("POST", RULES, body={})),
    (400, lambda walker: expression(walker, "(")),
    (400, lambda walker: expression(walker, "(a+)+")),
    (400, results_too_early),
    (401, without_token),
    (403, without_permission),
    (404, lambda walker: walker.exchange("GET", CONTACT, contactId="nobody")),
    (404, lambda walker: walker.exchange("GET", CHAT, conversationId="nobody")),
    (404, lambda walker: walker.exchange("POST", BULK, conversationId="nobody", body=[])),
    (409, twice),
    (413, lambda walker: walker.exchange("POST", RULES, body=BIG)),
    (415, lambda walker: walker.exchange("POST", RULES, body=RULE, content_type="text/plain")),
    (422, lambda walker: walker.exchange("POST", MERGE, body={"contactIds": []})),
    (429, beyond_the_budget),
)


@pytest.fixture
def refused(walker: Walker) -> Iterator[Walker]:
    """A client that may lose its permissions or budget in a test."""
    swagger()
    yield walker
    walker.sandbox.put_client("platform-client", permissions=None, requests_per_minute=None)


@pytest.mark.parametrize(("status", "ask"), REFUSALS)
def test_a_refusal_is_an_answer_of_the_document_with_a_code_of_it(
    refused: Walker, status: int, ask: Callable[[Walker], Answer]
) -> None:
    answer = ask(refused)
    last = refused.wire.exchanges[-1]
    assert (answer.status, last.of_answer) == (status, [])
    operations = {(each.method, each.template): each for each in swagger().operations}
    assert answer.body["code"] in operations[last.method, last.template].codes(status)


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_is_an_answer_of_the_document(walker: Walker, status: int) -> None:
    swagger()
    walker.sandbox.fault(kind="status", system="platform", status=status)
    assert walker.exchange("GET", ME).status == status
    assert walker.wire.exchanges[-1].of_answer == []
