"""Access tokens: both grants, what they refuse, and how long a token lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CREDENTIALS = {"grant_type": "client_credentials"}
BASIC = ("sandbox-client", "sandbox-secret")
FORM = {**CREDENTIALS, "client_id": BASIC[0], "client_secret": BASIC[1]}
CONTACTS = "/genesys/api/v2/interactions/contacts/none"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()


def claims(sandbox: SandboxHandle, clock: ManualClock) -> dict[str, Any]:
    audience = f"{sandbox.genesys_url}/api/v2/oauth/token"
    now = int(clock.now)
    return {"iss": "signer", "sub": "signer", "aud": audience, "iat": now, "exp": now + 600}


@pytest.mark.parametrize("path", ["/genesys/oauth/token", "/genesys/login/oauth2/token"])
@pytest.mark.parametrize("request_", [{"data": CREDENTIALS, "auth": BASIC}, {"data": FORM}])
def test_credentials_are_taken_by_basic_and_by_form_on_both_paths(
    sandbox: SandboxHandle, send: Ask, path: str, request_: dict[str, Any]
) -> None:
    answer = send("POST", sandbox.url + path, **request_)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "expires_in", "token_type"}
    assert (body["expires_in"], body["token_type"]) == (3600, "bearer")


@pytest.mark.parametrize(
    ("form", "auth", "status", "error"),
    [
        (CREDENTIALS, ("sandbox-client", "wrong"), 401, "invalid_client"),
        (CREDENTIALS, ("sandbox-client", ""), 401, "invalid_client"),
        (CREDENTIALS, ("nobody", "sandbox-secret"), 401, "invalid_client"),
        (CREDENTIALS, ("sandbox-cxone", "sandbox-cxone-secret"), 401, "invalid_client"),
        (CREDENTIALS, None, 401, "invalid_client"),
        ({"grant_type": "password"}, BASIC, 400, "unsupported_grant_type"),
        ({"scope": "audit:read"}, BASIC, 400, "unsupported_grant_type"),
        ({**CREDENTIALS, "scope": "audit:write"}, BASIC, 400, "invalid_scope"),
        ({**CREDENTIALS, "scope": "audit:read nonsense"}, BASIC, 400, "invalid_scope"),
        ({"grant_type": JWT_BEARER, "assertion": "a.b.c"}, BASIC, 401, "invalid_client"),
    ],
)
def test_a_wrong_token_request_is_refused_with_the_error_of_rfc_6749(
    sandbox: SandboxHandle,
    send: Ask,
    form: dict[str, str],
    auth: tuple[str, str] | None,
    status: int,
    error: str,
) -> None:
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_request_must_be_a_form(sandbox: SandboxHandle, send: Ask) -> None:
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", json=FORM, auth=BASIC)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_client_without_a_secret_gets_no_token_for_an_empty_one(
    sandbox: SandboxHandle, send: Ask
) -> None:
    sandbox.put_client("keyless", system="genesys", organization="default")
    answer = send(
        "POST", f"{sandbox.genesys_url}/oauth/token", data=CREDENTIALS, auth=("keyless", "")
    )
    assert answer.status_code == 401


def test_a_token_lives_as_long_as_it_says(
    sandbox: SandboxHandle, clock: ManualClock, ask_as: Callable[..., Ask]
) -> None:
    sandbox.put_client("sandbox-client", token_seconds=30)
    ask = ask_as(*BASIC)
    clock.advance(29)
    assert ask("GET", CONTACTS.removeprefix("/genesys")).status_code == 404
    clock.advance(1)
    assert ask("GET", CONTACTS.removeprefix("/genesys")).status_code == 401


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic c2FuZGJveA==", "Bearer"])
def test_without_a_valid_token_nothing_is_answered(
    sandbox: SandboxHandle, send: Ask, authorization: str | None
) -> None:
    answer = send("GET", sandbox.url + CONTACTS, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication.required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_of_one_system_is_unknown_to_the_other(
    sandbox: SandboxHandle, send: Ask, cxone: Ask
) -> None:
    authorization = cxone("GET", "/api/v2/customers/x/attributes").request.headers["Authorization"]
    answer = send("GET", sandbox.url + CONTACTS, headers={"Authorization": authorization})
    assert answer.status_code == 401


def test_a_token_for_some_scopes_has_no_others(ask_as: Callable[..., Ask]) -> None:
    ask = ask_as(*BASIC, scope="audit:read consent:read")
    answer = ask("GET", "/api/v2/interactions/contacts/none")
    assert answer.status_code == 403
    body = answer.json()
    assert (body["code"], body["scope"]) == ("missing.scope", "interaction:contact:read")
    assert "interaction:contact:read" in body["message"]


def test_a_client_gets_no_scope_it_was_not_granted(sandbox: SandboxHandle, send: Ask) -> None:
    sandbox.put_client("sandbox-client", scopes=["audit:read"])
    form = {**CREDENTIALS, "scope": "consent:read"}
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form, auth=BASIC)
    assert answer.json()["error"] == "invalid_scope"


def test_a_signed_assertion_gets_a_token(
    sandbox: SandboxHandle, send: Ask, clock: ManualClock, key: rsa.RSAPrivateKey
) -> None:
    sandbox.put_client(
        "signer", system="genesys", organization="default", public_key=public_pem(key)
    )
    assertion = jwt.encode(claims(sandbox, clock), key, algorithm="RS256")
    form = {"grant_type": JWT_BEARER, "assertion": assertion, "scope": "audit:read"}
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form)
    assert answer.status_code == 200
    assert sandbox.journal(path="/oauth/token")[0]["client"] == "signer"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "http://elsewhere.example/api/v2/oauth/token"},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"exp": lambda now: now + 601},
        {"iat": lambda now: now - 601, "exp": lambda now: now - 1},
        {"iat": lambda now: now + 60, "exp": lambda now: now + 120},
        {"exp": None},
        {"iat": None},
        {"aud": None},
        {"iat": "yesterday"},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    sandbox: SandboxHandle,
    send: Ask,
    clock: ManualClock,
    key: rsa.RSAPrivateKey,
    change: dict[str, Any],
) -> None:
    sandbox.put_client(
        "signer", system="genesys", organization="default", public_key=public_pem(key)
    )
    changed = {k: v(int(clock.now)) if callable(v) else v for k, v in change.items()}
    wrong = {k: v for k, v in {**claims(sandbox, clock), **changed}.items() if v is not None}
    form = {"grant_type": JWT_BEARER, "client_id": "signer"}
    form["assertion"] = jwt.encode(wrong, key, algorithm="RS256")
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("claimed", "asked", "good"),
    [
        ("audit:read", "", True),
        ("audit:read interaction:read", "audit:read", True),
        ("audit:read", "interaction:read", False),
        ("audit:everything", "", False),
        (["audit:read"], "", False),
    ],
)
def test_an_assertion_may_claim_fewer_scopes(
    sandbox: SandboxHandle,
    send: Ask,
    clock: ManualClock,
    key: rsa.RSAPrivateKey,
    claimed: object,
    asked: str,
    good: bool,
) -> None:
    sandbox.put_client(
        "signer", system="genesys", organization="default", public_key=public_pem(key)
    )
    told = {**claims(sandbox, clock), "scope": claimed}
    form = {"grant_type": JWT_BEARER, "assertion": jwt.encode(told, key, algorithm="RS256")}
    answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data={**form, "scope": asked})
    if not good:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        return
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    read = send("GET", f"{sandbox.genesys_url}/api/v2/interactions/none", headers=headers)
    assert (read.status_code, read.json().get("scope")) == (403, "interaction:read")


def test_an_assertion_signed_otherwise_is_refused(
    sandbox: SandboxHandle, send: Ask, clock: ManualClock, key: rsa.RSAPrivateKey
) -> None:
    sandbox.put_client(
        "signer", system="genesys", organization="default", public_key=public_pem(key)
    )
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    told = claims(sandbox, clock)
    for assertion in (
        jwt.encode(told, stranger, algorithm="RS256"),
        jwt.encode(told, key, algorithm="RS512"),
        jwt.encode(told, "a shared secret of more than 32 bytes", algorithm="HS256"),
        "not.a.token",
    ):
        form = {"grant_type": JWT_BEARER, "client_id": "signer", "assertion": assertion}
        answer = send("POST", f"{sandbox.genesys_url}/oauth/token", data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_cxone_knows_no_assertions(sandbox: SandboxHandle, send: Ask) -> None:
    form = {"grant_type": JWT_BEARER, "assertion": "a.b.c"}
    answer = send("POST", f"{sandbox.cxone_url}/oauth/token", data=form)
    assert answer.json()["error"] == "unsupported_grant_type"


def test_token_requests_have_a_budget_of_their_own(sandbox: SandboxHandle, send: Ask) -> None:
    sandbox.options(token_requests_per_minute=2)
    url = f"{sandbox.genesys_url}/oauth/token"
    answers = [send("POST", url, data=CREDENTIALS, auth=BASIC) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["1", "0", "0"]
    assert answers[2].headers["Retry-After"] == "60"
    other = send("POST", url, data=CREDENTIALS, auth=("acme-client", "acme-secret"))
    assert other.status_code == 200


def test_every_token_request_is_journaled_without_its_secrets(
    sandbox: SandboxHandle, send: Ask
) -> None:
    url = f"{sandbox.genesys_url}/oauth/token"
    token = send("POST", url, data=FORM).json()["access_token"]
    send("POST", url, data={**FORM, "client_secret": "wrong-secret"})
    entries = sandbox.journal(route="/oauth/token")
    assert [(each["client"], each["status"]) for each in entries] == [
        ("sandbox-client", 200),
        ("sandbox-client", 401),
    ]
    for secret in (token, "sandbox-secret", "wrong-secret"):
        assert secret not in str(entries) + str(sandbox.clients())
