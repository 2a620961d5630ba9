"""CXone's discovery, and tokens for access keys in both forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
FORM_PATH = "/auth/token"
JSON_PATH = "/authentication/v1/token/access-key"
KEY = ("sandbox-access-key", "sandbox-access-key-secret")
APPLICATION = ("sandbox-application", "sandbox-application-secret")
FORM = {"grant_type": "password", "username": KEY[0], "password": KEY[1]}
JSON = {"accessKeyId": KEY[0], "accessKeySecret": KEY[1]}
DEFINITIONS = "/dfo/3.0/customers/custom-field-definitions"
DISCOVERY = "/.well-known/cxone-configuration"


@pytest.fixture
def dfo(sandbox: SandboxHandle, send: Ask) -> Ask:
    def dfo(method: str, path: str, **options: Any) -> requests.Response:
        return send(method, f"{sandbox.dfo_url}{path}", **options)

    return dfo


def reads_definitions(dfo: Ask, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return dfo("GET", DEFINITIONS, headers=headers).status_code


@pytest.mark.parametrize(
    ("path", "options"),
    [(FORM_PATH, {"data": FORM, "auth": APPLICATION}), (JSON_PATH, {"json": JSON})],
)
def test_a_key_gets_a_token_that_lives_as_long_as_it_says(
    sandbox: SandboxHandle, dfo: Ask, clock: ManualClock, path: str, options: dict[str, Any]
) -> None:
    sandbox.put_client(KEY[0], token_seconds=600)
    granted = dfo("POST", path, **options)
    assert granted.status_code == 200
    body = granted.json()
    assert (body["expires_in"], body["token_type"]) == (600, "bearer")
    clock.advance(599)
    assert reads_definitions(dfo, body["access_token"]) == 200
    clock.advance(1)
    assert reads_definitions(dfo, body["access_token"]) == 401
    [asked] = sandbox.journal(route=path)
    assert (asked["client"], asked["organization"]) == (KEY[0], "default")


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({"data": FORM}, 401, "invalid_client"),
        ({"data": FORM, "auth": (APPLICATION[0], "wrong")}, 401, "invalid_client"),
        ({"data": FORM, "auth": (APPLICATION[0], "")}, 401, "invalid_client"),
        ({"data": FORM, "auth": KEY}, 401, "invalid_client"),
        (
            {"data": {**FORM, "client_id": APPLICATION[0], "client_secret": APPLICATION[1]}},
            401,
            "invalid_client",
        ),
        ({"data": {**FORM, "password": "wrong"}, "auth": APPLICATION}, 400, "invalid_grant"),
        ({"data": {**FORM, "username": "nobody"}, "auth": APPLICATION}, 400, "invalid_grant"),
        ({"data": {**FORM, "username": APPLICATION[0]}, "auth": APPLICATION}, 400, "invalid_grant"),
        (
            {"data": {"grant_type": "client_credentials"}, "auth": APPLICATION},
            400,
            "unsupported_grant_type",
        ),
        ({"json": FORM, "auth": APPLICATION}, 400, "invalid_request"),
    ],
)
def test_a_wrong_form_is_refused_as_rfc_6749_says(
    dfo: Ask, options: dict[str, Any], status: int, error: str
) -> None:
    refused = dfo("POST", FORM_PATH, **options)
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert KEY[1] not in refused.text


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"json": {**JSON, "accessKeySecret": "wrong"}}, 401, "invalid.access.key"),
        ({"json": {**JSON, "accessKeyId": "nobody"}}, 401, "invalid.access.key"),
        (
            {"json": {"accessKeyId": APPLICATION[0], "accessKeySecret": APPLICATION[1]}},
            401,
            "invalid.access.key",
        ),
        ({"json": {"accessKeyId": KEY[0]}}, 400, "bad.request"),
        ({"json": {**JSON, "scope": "all"}}, 400, "bad.request"),
        ({"data": JSON}, 415, "unsupported.media.type"),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "invalid.json"),
    ],
)
def test_wrong_json_is_refused_with_the_vendors_body(
    dfo: Ask, options: dict[str, Any], status: int, code: str
) -> None:
    refused = dfo("POST", JSON_PATH, **options)
    assert refused.status_code == status
    assert [each["errorCode"] for each in refused.json()["errors"]] == [code]
    assert refused.json()["uid"] == refused.headers["X-Correlation-Id"]


def test_token_requests_have_a_budget_of_their_own(sandbox: SandboxHandle, dfo: Ask) -> None:
    sandbox.options(token_requests_per_minute=2)
    asked = [dfo("POST", JSON_PATH, json=JSON) for _ in range(3)]
    assert [each.status_code for each in asked] == [200, 200, 429]
    assert "Retry-After" not in asked[2].headers


def test_a_token_of_another_system_is_unknown(sandbox: SandboxHandle, dfo: Ask, send: Ask) -> None:
    form = {"grant_type": "client_credentials"}
    client = ("sandbox-cxone", "sandbox-cxone-secret")
    other = send("POST", f"{sandbox.cxone_url}/oauth/token", data=form, auth=client).json()
    assert reads_definitions(dfo, other["access_token"]) == 401


def test_tokens_may_expire_before_their_time(sandbox: SandboxHandle, dfo: Ask) -> None:
    token = dfo("POST", JSON_PATH, json=JSON).json()["access_token"]
    sandbox.fault(kind="expire_tokens", system="dfo", client=KEY[0])
    assert [reads_definitions(dfo, token) for _ in range(2)] == [401, 401]
    renewed = dfo("POST", JSON_PATH, json=JSON).json()["access_token"]
    assert reads_definitions(dfo, renewed) == 200


def test_discovery_tells_anybody_where_a_tenants_apis_are(sandbox: SandboxHandle, dfo: Ask) -> None:
    sandbox.options(dfo_area="eu1", dfo_domain="example.test")
    found = dfo("GET", DISCOVERY, params={"tenantId": "acme"}).json()
    assert (found["area"], found["domain"], found["tenantId"]) == ("eu1", "example.test", "acme")


@pytest.mark.parametrize(
    ("query", "status"), [({}, 400), ({"tenantId": ""}, 400), ({"tenantId": "nobody"}, 404)]
)
def test_discovery_knows_its_tenants(dfo: Ask, query: dict[str, str], status: int) -> None:
    assert dfo("GET", DISCOVERY, params=query).status_code == status


def test_discovery_may_fail(sandbox: SandboxHandle, dfo: Ask) -> None:
    sandbox.fault(kind="status", system="dfo", method="GET", route=DISCOVERY, status=503)
    asked = [dfo("GET", DISCOVERY, params={"tenantId": "acme"}) for _ in range(2)]
    assert [each.status_code for each in asked] == [503, 200]
