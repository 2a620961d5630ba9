"""The two grants, and the answer of a token endpoint."""

from __future__ import annotations

from decimal import Decimal

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import ValidationError

from tasks.apis.cxone.access_key import AccessKey, ApplicationAccessKey
from tasks.apis.tokens import ApiKey, ClientCredentials, JwtBearer, Token

AUDIENCE = "https://login.example.com/api/v2/oauth/token"
NOW = 1_800_000_000.75


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def grant(key: RSAPrivateKey, scope: str = "") -> JwtBearer:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return JwtBearer(
        client_id="client",
        private_key=pem,
        audience=AUDIENCE,
        scope=scope,
        clock=lambda: NOW,
    )


def test_client_credentials_go_into_http_basic_and_not_into_the_form() -> None:
    credentials = ClientCredentials(client_id="client", client_secret="s3cret")
    assert credentials.form() == {"grant_type": "client_credentials"}
    assert credentials.basic() == ("client", "s3cret")


def test_a_scope_is_asked_for_where_there_is_one() -> None:
    credentials = ClientCredentials(client_id="c", client_secret="s", scope="a:read b:write")
    assert credentials.form()["scope"] == "a:read b:write"


def test_the_assertion_is_the_form_and_needs_no_basic(key: RSAPrivateKey) -> None:
    form = grant(key).form()
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert set(form) == {"grant_type", "assertion"}
    assert grant(key).basic() is None


@pytest.mark.parametrize("scope", ["", "identity:profile:read"])
def test_the_assertion_is_signed_and_lives_ten_minutes(key: RSAPrivateKey, scope: str) -> None:
    claims = jwt.decode(
        grant(key, scope).assertion(),
        key.public_key(),
        algorithms=["RS256"],
        audience=AUDIENCE,
        options={"verify_iat": False, "verify_exp": False},
    )
    assert claims == {
        "iss": "client",
        "sub": "client",
        "aud": AUDIENCE,
        "iat": 1_800_000_000,
        "exp": 1_800_000_600,
        **({"scope": scope} if scope else {}),
    }


def test_no_secret_is_in_a_repr(key: RSAPrivateKey) -> None:
    shown = repr(
        [
            ClientCredentials(client_id="client", client_secret="s3cret"),
            grant(key),
            Token(value="t0ken", expires_in=60.0),
        ]
    )
    assert "s3cret" not in shown
    assert "t0ken" not in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize("expires_in", [3600, 3600.0, "3600", Decimal("3600")])
def test_a_tokens_life_is_what_the_answer_says(expires_in: object) -> None:
    token = Token.parse({"access_token": "a.b-c", "expires_in": expires_in, "token_type": "x"})
    assert token == Token(value="a.b-c", expires_in=3600.0)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "t0ken",
        {},
        {"access_token": "t0ken"},
        {"expires_in": 3600},
        {"access_token": "", "expires_in": 3600},
        {"access_token": 12, "expires_in": 3600},
        {"access_token": "t0ken\r\nX-Header: 1", "expires_in": 3600},
        {"access_token": "t0ken€", "expires_in": 3600},
        {"access_token": "t0ken", "expires_in": 0},
        {"access_token": "t0ken", "expires_in": -1},
        {"access_token": "t0ken", "expires_in": None},
        {"access_token": "t0ken", "expires_in": "soon"},
        {"access_token": "t0ken", "expires_in": float("nan")},
        {"access_token": "t0ken", "expires_in": float("inf")},
        {"access_token": "t0ken", "expires_in": 10**400},
    ],
)
def test_a_body_that_holds_no_usable_token_is_refused_without_quoting_it(body: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Token.parse(body)
    assert "t0ken" not in str(caught.value)


ACCESS_KEY = AccessKey(key_id="key", key_secret="s3cret")
THROUGH_APPLICATION = ApplicationAccessKey(
    key_id="key", key_secret="s3cret", application_id="app", application_secret="app-s3cret"
)


def test_an_access_key_asks_in_json_by_itself_and_in_a_form_through_an_application() -> None:
    assert (ACCESS_KEY.as_json, ACCESS_KEY.basic()) == (True, None)
    assert ACCESS_KEY.form() == {"accessKeyId": "key", "accessKeySecret": "s3cret"}
    assert (THROUGH_APPLICATION.as_json, THROUGH_APPLICATION.basic()) == (
        False,
        ("app", "app-s3cret"),
    )
    assert THROUGH_APPLICATION.form() == {
        "grant_type": "password",
        "username": "key",
        "password": "s3cret",
    }


def test_no_key_is_in_a_repr() -> None:
    assert "s3cret" not in repr([ACCESS_KEY, THROUGH_APPLICATION, ApiKey(value="s3cret")])
