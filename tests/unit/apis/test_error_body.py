"""What is kept of the Platform API's `ErrorBody`: codes, fields, permissions, the contextId."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import errors
from tasks.apis import answers
from tasks.apis.calls import Answer, Call

CONTEXT = "3f2b8c1e-1234-4567-89ab-0123456789ab"
CALL = Call(method="PUT", route="/api/v2/things/{thing_id}", needs="thing:thing:edit")


def explained(status: int, **body: Any) -> errors.ApiError:
    answer = Answer(status=status, headers={}, body={"contextId": CONTEXT, **body})
    return answers.explain("genesys", CALL, answer, now=0.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_every_error_names_the_context_id_for_the_vendors_support(status: int) -> None:
    error = explained(status, code="some.code")
    assert error.context_id == CONTEXT
    assert f"some.code to PUT /api/v2/things/{{thing_id}} (contextId {CONTEXT})" in str(error)


@pytest.mark.parametrize("context", ["Jane Doe", "5550101234", CONTEXT + "\n", 7, None, ""])
def test_what_is_no_uuid_is_no_context_id(context: object) -> None:
    error = explained(500, contextId=context)
    assert error.context_id == ""
    assert "contextId" not in str(error)


@pytest.mark.parametrize(
    ("params", "missing"),
    [
        ({"permissions": "gdpr:request:add"}, "gdpr:request:add"),
        ({"permissions": "[audits:audit:view, gdpr:*:*]"}, "audits:audit:view, gdpr:*:*"),
        ({"permission": "recording:recordingSegment:view"}, "recording:recordingSegment:view"),
        ({"permissions": "Ann said: no!", "divisions": "gdpr:request:add"}, "thing:thing:edit"),
        ({"permissions": ["gdpr:request:add"]}, "thing:thing:edit"),
        ("gdpr:request:add", "thing:thing:edit"),
        (None, "thing:thing:edit"),
    ],
)
def test_a_403_names_the_permissions_that_are_missing(params: object, missing: str) -> None:
    error = explained(403, code="missing.permissions", messageParams=params)
    assert isinstance(error, errors.Forbidden)
    assert error.missing == missing


@pytest.mark.parametrize(
    "code",
    [
        "missing.permissions",
        "missing.division.permission",
        "app.not.authorized.for.scope",
        "authz.policy.denied",
    ],
)
def test_a_403_names_its_code(code: str) -> None:
    assert f"answered 403 {code}" in str(explained(403, code=code))


def test_a_422_keeps_the_fields_and_codes_of_its_details_and_no_texts() -> None:
    error = explained(
        422,
        code="validation.failed",
        message="workEmail: ann@example.com is no e-mail address",
        messageParams={"value": "ann@example.com"},
        details=[
            {"errorCode": "email.invalid", "fieldName": "workEmail", "entityName": "Ann"},
            {"errorCode": "Dear Ann, no", "fieldName": "ann@example.com"},
            {"errorCode": "about.no.field"},
        ],
    )
    assert isinstance(error, errors.Unprocessable)
    assert error.fields == {"workEmail": "email.invalid", "?": "?"}
    assert "ann" not in f"{error} {error!r} {vars(error)}".lower()


def test_cxones_errors_keep_fields_codes_and_the_uid() -> None:
    body = {
        "errors": [
            {"field": "newsletter", "message": "'Ann' is no list value", "errorCode": "value.bad"},
            {"field": "ann@example.com", "message": "Ann", "errorCode": "Dear Ann, no"},
            {"field": "", "message": "Ann", "errorCode": "about.no.field"},
        ],
        "uid": CONTEXT,
    }
    error = explained(422, contextId=None, **body)
    assert isinstance(error, errors.Unprocessable)
    assert error.fields == {"newsletter": "value.bad", "?": "?"}
    assert (error.code, error.context_id) == ("value.bad", CONTEXT)
    assert "ann" not in f"{error} {error!r} {vars(error)}".lower()


@pytest.mark.parametrize("trace", [CONTEXT, f"api--{CONTEXT}", f"profiles--{CONTEXT}"])
def test_a_problem_keeps_its_code_and_trace_id(trace: str) -> None:
    problem = {
        "type": "Bad Request",
        "title": "Bad Request Error",
        "status": 400,
        "detail": "Validation failed. city: 'Ann' is no Text",
        "code": 1000,
        "traceId": trace,
        "details": {"value": "Ann"},
    }
    error = answers.explain("cognigy", CALL, Answer(status=400, headers={}, body=problem), now=0.0)
    assert (type(error), error.code, error.context_id) == (errors.BadRequest, "1000", trace)
    assert "Ann" not in f"{error} {error!r} {vars(error)}"


def test_a_problem_names_those_of_the_requests_fields_that_it_mentions() -> None:
    answer = Answer(status=400, headers={}, body={"detail": "Validation failed. city: 'Ann'"})
    error = answers.refused("cognigy", CALL, answer, ["city", "cit", "tier"])
    assert error.fields == {"city": "refused"}
