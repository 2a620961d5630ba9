"""What stands before every operation of the Platform API: tokens, budgets, permissions, shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.swagger import DOCUMENT, swagger
from workers.sandbox.systems import SYSTEMS
from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
ME = "/api/v2/tokens/me"
CONTACTS = "/api/v2/externalcontacts/contacts"
FORM = {"grant_type": "client_credentials"}
CLIENT = ("platform-client", "platform-secret")


@pytest.fixture
def token(sandbox: SandboxHandle, send: Ask) -> Ask:
    """Asks for tokens."""

    def token(**options: Any) -> requests.Response:
        asked = {"data": FORM, "auth": CLIENT, **options}
        return send("POST", f"{sandbox.platform_url}/oauth/token", **asked)

    return token


def test_a_token_is_given_for_basic_authentication_whatever_the_scope(token: Ask) -> None:
    granted = token(data={**FORM, "scope": "no-such-scope"})
    assert granted.status_code == 200
    assert granted.json() | {"access_token": ""} == {
        "access_token": "",
        "token_type": "bearer",
        "expires_in": 86_400,
    }


def test_a_token_lives_as_long_as_its_client_says(
    sandbox: SandboxHandle, token: Ask, send: Ask, clock: ManualClock
) -> None:
    sandbox.put_client("platform-client", token_seconds=300)
    granted = token().json()
    assert granted["expires_in"] == 300
    url, headers = (
        f"{sandbox.platform_url}{ME}",
        {"Authorization": f"Bearer {granted['access_token']}"},
    )
    clock.advance(299)
    assert send("GET", url, headers=headers).status_code == 200
    clock.advance(1)
    refused = send("GET", url, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({"auth": ("platform-client", "wrong")}, 401, "invalid_client"),
        ({"auth": ("sandbox-client", "sandbox-secret")}, 401, "invalid_client"),
        ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"auth": None, "data": {**FORM, "client_id": "platform-client"}}, 400, "invalid_request"),
        ({"data": None, "json": FORM}, 400, "invalid_request"),
    ],
)
def test_a_token_request_is_refused_in_the_words_of_oauth(
    token: Ask, options: dict[str, Any], status: int, error: str
) -> None:
    refused = token(**options)
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert set(refused.json()) == {"error", "description", "error_description"}


def test_too_many_token_requests_are_a_bad_request(
    sandbox: SandboxHandle, token: Ask, clock: ManualClock
) -> None:
    sandbox.options(token_requests_per_minute=1)
    assert token().status_code == 200
    refused = token()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert refused.json()["error_description"] == "rate limit exceeded"
    assert "Retry-After" not in refused.headers
    clock.advance(60)
    assert token().status_code == 200


def test_every_answer_says_what_is_spent_and_how_many_seconds_remain(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.put_client("platform-client", requests_per_minute=2)
    told = []
    for _ in range(3):
        answer = platform("GET", ME)
        names = ("count", "allowed", "reset")
        told.append([answer.headers[f"inin-ratelimit-{name}"] for name in names])
        clock.advance(10.5)
    assert told == [["1", "2", "60"], ["2", "2", "50"], ["2", "2", "39"]]
    clock.advance(28.5)
    assert platform("GET", ME).headers["inin-ratelimit-count"] == "1"


@pytest.mark.parametrize("places", [[], ["retry-after"], ["reset"], ["body"]])
def test_a_429_says_how_long_to_wait_where_it_is_told_to_and_nowhere_else(
    sandbox: SandboxHandle, platform: Ask, places: list[str]
) -> None:
    sandbox.put_client("platform-client", requests_per_minute=1)
    sandbox.options(wait_told_in=places)
    platform("GET", ME)
    refused = platform("GET", ME)
    body = refused.json()
    assert (refused.status_code, body["status"]) == (429, 429)
    in_body = body["code"] == "too.many.requests.retry.after"
    assert in_body == ("Retry the request in [60] seconds" in body["message"])
    assert {
        "retry-after": refused.headers.get("Retry-After") == "60",
        "reset": refused.headers.get("inin-ratelimit-reset") == "60",
        "body": in_body,
    } == {place: place in places for place in ("retry-after", "reset", "body")}


def test_an_answer_has_an_id_of_its_own_and_the_journal_has_both(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    refused = platform("GET", f"{CONTACTS}/nobody", headers={"X-Correlation-Id": "operation-1"})
    own = refused.headers["ININ-Correlation-Id"]
    assert refused.json()["contextId"] == own != "operation-1"
    (entry,) = sandbox.journal(correlation_id="operation-1")
    assert (entry["context_id"], entry["status"]) == (own, 404)


def test_an_error_body_has_the_vendors_fields(platform: Ask) -> None:
    refused = platform("GET", f"{CONTACTS}/nobody")
    assert refused.json() == {
        "message": "contact nobody was not found",
        "code": "entity.not.found",
        "status": 404,
        "messageParams": {},
        "contextId": refused.headers["ININ-Correlation-Id"],
        "details": [
            {"errorCode": "entity.not.found", "entityId": "nobody", "entityName": "contact"}
        ],
        "errors": [],
        "entityId": "nobody",
        "entityName": "contact",
    }


@pytest.mark.parametrize(
    ("authorization", "code"), [("", "authentication.required"), ("Bearer x", "bad.credentials")]
)
def test_a_missing_token_and_a_wrong_one_are_told_apart(
    platform: Ask, authorization: str, code: str
) -> None:
    refused = platform("GET", ME, headers={"Authorization": authorization})
    assert (refused.status_code, refused.json()["code"]) == (401, code)


def test_a_token_of_another_system_is_wrong(sandbox: SandboxHandle, send: Ask) -> None:
    form = {**FORM, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    token = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert send("GET", f"{sandbox.platform_url}{ME}", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "held", "status", "code", "named"),
    [
        ("GET", f"{CONTACTS}/x", ["relate:contact:view"], 404, "entity.not.found", None),
        (
            "GET",
            f"{CONTACTS}/x",
            ["externalContacts:contact:edit"],
            403,
            "missing.any.permissions",
            "relate:contact:view, externalContacts:contact:view",
        ),
        (
            "GET",
            f"{CONTACTS}/x/unresolved",
            ["relate:contact:view"],
            403,
            "missing.permissions",
            "externalContacts:contact:view",
        ),
        (
            "POST",
            "/api/v2/webdeployments/configurations/x/versions/draft/publish",
            ["webDeployments:configuration:edit"],
            403,
            "missing.permissions",
            "webDeployments:configuration:add",
        ),
        ("GET", ME, [], 200, None, None),
    ],
)
def test_a_client_without_the_permission_is_told_which_it_lacks(
    sandbox: SandboxHandle,
    platform: Ask,
    method: str,
    path: str,
    held: list[str],
    status: int,
    code: str | None,
    named: str | None,
) -> None:
    sandbox.put_client("platform-client", permissions=held)
    answer = platform(method, path, json=None if method == "GET" else {})
    body = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code)
    if named:
        assert body["messageParams"] == {"permissions": named}
        assert body["message"] == body["messageWithParams"].format(permissions=named)


def test_a_contact_in_a_division_of_others_is_forbidden(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    sandbox.put("divisions", "north", {"name": "North"})
    sandbox.put("externalContacts", "one", {"division": {"id": "north"}})
    sandbox.put("externalContacts", "other", {})
    sandbox.put_client("platform-client", divisions=["north"])
    assert platform("GET", f"{CONTACTS}/one").status_code == 200
    refused = platform("GET", f"{CONTACTS}/other")
    assert (refused.status_code, refused.json()["code"]) == (403, "missing.division.permission")


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "bad.request"),
        ({"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported.media.type"),
        ({"json": {"title": "x" * 512_000}}, 413, "request.entity.too.large"),
        ({"json": {}, "params": {"dryRun": "true"}}, 400, "bad.request"),
    ],
)
def test_a_request_that_is_out_of_shape_is_refused(
    sandbox: SandboxHandle, platform: Ask, options: dict[str, Any], status: int, code: str
) -> None:
    sandbox.put("externalContacts", "mine", {})
    refused = platform("PUT", f"{CONTACTS}/mine", **options)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["contextId"] == refused.headers["ININ-Correlation-Id"]


def test_an_injected_failure_has_the_vendors_body(sandbox: SandboxHandle, platform: Ask) -> None:
    sandbox.fault(kind="status", system="platform", status=503)
    failed = platform("GET", ME)
    assert (failed.status_code, failed.json()["status"]) == (503, 503)
    assert failed.json()["contextId"] == failed.headers["ININ-Correlation-Id"]


def test_a_token_says_whose_it_is(platform: Ask, ask_as: Callable[..., Ask]) -> None:
    acme = ask_as("acme-platform", "acme-platform-secret")
    told = [ask("GET", ME).json() for ask in (platform, acme)]
    assert [each["organization"]["id"] for each in told] == ["default", "acme"]
    assert told[1]["OAuthClient"]["id"] == "acme-platform"
    assert acme("HEAD", ME).status_code == 200
    assert acme("HEAD", ME).content == b""


def test_the_limit_of_the_token_is_told(sandbox: SandboxHandle, platform: Ask) -> None:
    sandbox.put_client("platform-client", requests_per_minute=180)
    namespaces = "/api/v2/organizations/limits/namespaces"
    (limit,) = platform("GET", f"{namespaces}/platform.api").json()["entities"]
    assert limit["value"] == 180
    assert platform("GET", f"{namespaces}/nonsense").status_code == 404


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
def test_routes_and_their_permissions_are_the_vendors() -> None:
    document = swagger()
    for route in SYSTEMS["platform"].routes:
        operation = document.find(route.method, route.path.replace("{", "").replace("}", ""))
        assert operation is not None, route.path
        kind, permissions = operation.permissions()
        declared = route.any_of if kind == "ANY" else route.all_of
        assert (set(declared), len(route.any_of) + len(route.all_of)) == (
            set(permissions),
            len(permissions),
        ), route.path
