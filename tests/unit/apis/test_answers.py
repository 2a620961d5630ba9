"""From status and body to the error that says what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tasks import errors
from tasks.apis import answers
from tasks.apis.calls import Answer, Call

CALL = Call(
    method="PATCH",
    route="/api/v2/things/{thing_id}",
    ids={"thing_id": "ann@example.com"},
    needs="thing:write",
)


def explained(
    status: int, body: object = None, headers: Mapping[str, str] | None = None
) -> errors.ApiError:
    answer = Answer(status=status, headers=headers or {}, body=body)
    return answers.explain("genesys", CALL, answer, now=0.0)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthenticated),
        (402, errors.BadRequest),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.BadRequest),
        (408, errors.OutcomeUnknown),
        (409, errors.StateChanged),
        (410, errors.BadRequest),
        (412, errors.BadRequest),
        (413, errors.BadRequest),
        (415, errors.BadRequest),
        (422, errors.Unprocessable),
        (428, errors.BadRequest),
        (429, errors.RateLimited),
        (500, errors.OutcomeUnknown),
        (502, errors.OutcomeUnknown),
        (503, errors.OutcomeUnknown),
        (504, errors.OutcomeUnknown),
        (599, errors.OutcomeUnknown),
        (301, errors.BadRequest),
        (302, errors.BadRequest),
        (304, errors.BadRequest),
        (307, errors.BadRequest),
    ],
)
@pytest.mark.parametrize("body", [None, {}, [], "text", 7, {"errors": "none"}])
def test_every_status_has_its_error_whatever_the_body(
    status: int, error: type[errors.ApiError], body: object
) -> None:
    explanation = explained(status, body)
    assert type(explanation) is error
    assert explanation.status == status


def test_the_text_names_system_status_method_and_route_without_ids() -> None:
    assert str(explained(404, {"code": "not.found"})) == (
        "genesys answered 404 not.found to PATCH /api/v2/things/{thing_id}"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": "profile.link.circular"}, "profile.link.circular"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"code": "x.y", "error": "z"}, "x.y"),
        ({"code": 1000, "traceId": "api--x"}, "1000"),
        ({"code": 10_000}, ""),
        ({"code": True}, ""),
        ({"errors": [{"field": "", "errorCode": "not.acceptable"}]}, "not.acceptable"),
        ({"errors": [{"field": "", "errorCode": "Dear Ann, no"}]}, ""),
        ({"code": "no code but a sentence"}, ""),
        ({"code": "ann@example.com"}, ""),
        ({"code": "Doe:Jane"}, ""),
        ({"code": "call.5550101234"}, ""),
        ({"code": "call.555-010-1234"}, ""),
        ({"code": "AUTH-1234.v2"}, "AUTH-1234.v2"),
        ({"code": "x" * 81}, ""),
    ],
)
def test_the_vendors_code_is_kept_where_it_looks_like_one(
    body: dict[str, object], code: str
) -> None:
    assert explained(400, body).code == code


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({"scope": "identity:profile:read"}, "identity:profile:read"),
        ({"scope": "Ann said: no!"}, "thing:write"),
        ({"scope": "call:555-010-1234"}, "thing:write"),
        ({}, "thing:write"),
        (None, "thing:write"),
    ],
)
def test_a_403_names_the_missing_scope(body: object, missing: str) -> None:
    error = explained(403, body)
    assert isinstance(error, errors.Forbidden)
    assert error.missing == missing
    assert str(error).endswith(f": the OAuth client needs {missing}")


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ({"version": 7}, "7"),
        ({"version": "7"}, "7"),
        ({"version": "a1.b-2_c"}, "a1.b-2_c"),
        ({"version": True}, None),
        ({"version": 7.5}, None),
        ({"version": ""}, None),
        ({"version": "é"}, None),
        ({"version": "7\r\nX: 1"}, None),
        ({"version": "9" * 81}, None),
        ({"version": {"n": 7}}, None),
        ({}, None),
    ],
)
def test_a_409_tells_the_version_where_it_is_fit_for_a_header(
    body: object, version: str | None
) -> None:
    error = explained(409, body)
    assert isinstance(error, errors.StateChanged)
    assert error.version == version


@pytest.mark.parametrize(
    ("details", "named"),
    [
        ([{"profileId": "p-1", "linkedTo": "p-2"}, {"profileId": "p-3"}], {"p-1", "p-3"}),
        ([{"profileId": "Jane Doe"}, {"profileId": 7}, {}, "p-1"], set()),
        ("p-1", set()),
    ],
)
def test_a_409_tells_which_profiles_are_in_the_way(details: object, named: set[str]) -> None:
    error = explained(409, {"details": details})
    assert isinstance(error, errors.StateChanged)
    assert error.named == named
    assert "p-1" not in f"{error} {error!r}"


def test_a_422_keeps_fields_and_codes_and_no_texts() -> None:
    body = {
        "message": "ann@example.com is not allowed",
        "errors": [
            {"field": "greetings[0]", "code": "too.long", "message": "Hello Ann"},
            {"field": "ann@example.com", "code": "Dear Ann, no", "message": "Hello Ann"},
            "Hello Ann",
        ],
    }
    error = explained(422, body)
    assert isinstance(error, errors.Unprocessable)
    assert error.fields == {"greetings[0]": "too.long", "?": "?"}
    assert "ann" not in f"{error} {error!r}".lower()


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("attributes[0].tier", "attributes[0].tier"),
        ("availability.rules[12].start_time", "availability.rules[12].start_time"),
        ("attributes[0].Jane Doe 555 010 1234", "?"),
        ("attributes[0].5550101234", "?"),
        ("attributes[0].555-010-1234", "?"),
        ("attributes[0].tier\n", "?"),
    ],
)
def test_a_field_is_shown_where_it_can_be_nothing_but_a_path(field: str, shown: str) -> None:
    error = explained(422, {"errors": [{"field": field, "code": "bad"}]})
    assert isinstance(error, errors.Unprocessable)
    assert error.fields == {shown: "bad"}


def test_the_customer_stores_422_text_is_left_out() -> None:
    body: dict[str, Any] = {"errorDescription": "age: value 'Ann' is not a number"}
    error = explained(422, body)
    assert "Ann" not in f"{error} {error!r} {vars(error)}"


@pytest.mark.parametrize(
    ("description", "named"),
    [
        ("age: value 'Ann' is not a number", ["age"]),
        ("Last  Name and größe: too long", ["größe", "Last  Name"]),
        ("message: value is bad", []),
        ("555 010 1234: bad", ["?"]),
        (None, []),
        (["age"], []),
    ],
)
def test_a_422_names_what_its_text_mentions_of_the_request(
    description: object, named: list[str]
) -> None:
    names = ["age", "größe", " Last  Name", "size", "555 010 1234"]
    answer = Answer(status=422, headers={}, body={"errorDescription": description})
    error = answers.refused("cxone", CALL, answer, names)
    assert error.fields == dict.fromkeys(named, "refused")


@pytest.mark.parametrize(("header", "wait"), [("7", 7.0), (None, None), ("soon", None)])
def test_a_429_carries_the_servers_wait(header: str | None, wait: float | None) -> None:
    error = explained(429, headers={"Retry-After": header} if header else {})
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == wait


def test_a_call_without_an_answer_has_no_status() -> None:
    error = answers.unknown("genesys", CALL)
    assert error.status is None
    assert "ann@" not in str(error)


def test_an_unreachable_system_is_an_unknown_outcome_too() -> None:
    assert isinstance(answers.unreachable("genesys", CALL), errors.OutcomeUnknown)
