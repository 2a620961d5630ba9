"""OAuth clients, their tokens and the two grants that give them out."""

from __future__ import annotations

import base64
import binascii
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import jwt
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, SecretStr

from workers.sandbox.errors import Refused

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 600
#: How far in the future an assertion's `iat` may lie.
LEEWAY_SECONDS = 5

SCOPES: Mapping[str, frozenset[str]] = {
    "genesys": frozenset(
        {
            "identity:profile:read",
            "identity:profile:write",
            "profile:read",
            "consent:read",
            "consent:write",
            "webchat:configuration:read",
            "webchat:configuration:write",
            "audit:read",
            "interaction:contact:read",
            "interaction:read",
            "interaction:write",
            "conversation:view",
            "conversation:update",
        }
    ),
    "cxone": frozenset({"customer.profile:read", "customer.profile:write"}),
    "platform": frozenset(),
    "dfo": frozenset(),
    "dfo-application": frozenset(),
    "cognigy": frozenset(),
}


class Client(BaseModel):
    """A client of one system and one organisation: of OAuth, an access key, or an API key.

    An application is what the access keys of `dfo` are used through. Without `scopes` a client is
    granted all of its system's, without `permissions` and `divisions` all that there are; without
    budgets the options' hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    system: Literal["genesys", "cxone", "platform", "dfo", "dfo-application", "cognigy"]
    organization: str
    secret: SecretStr | None = None
    scopes: frozenset[str] | None = None
    #: Of the client's roles, and the divisions in which it has them; of `platform` alone.
    permissions: frozenset[str] | None = None
    divisions: frozenset[str] | None = None
    requests_per_minute: PositiveInt | None = None
    token_seconds: PositiveFloat | None = None
    #: PEM; where set, the client may use the JWT bearer grant.
    public_key: str | None = None

    @property
    def granted(self) -> frozenset[str]:
        """The scopes that this client may ask for."""
        return SCOPES[self.system] if self.scopes is None else self.scopes

    def proves(self, secret: str | None) -> bool:
        """Whether that is the client's secret, compared in constant time."""
        known = self.secret.get_secret_value() if self.secret else ""
        return hmac.compare_digest(known.encode(), (secret or "").encode()) and bool(known)

    def render(self) -> dict[str, Any]:
        """The client as JSON, without its secret."""
        shown = self.model_dump(exclude={"secret"})
        lists = {k: sorted(v) for k, v in shown.items() if isinstance(v, frozenset)}
        return {**shown, **lists, "scopes": sorted(self.granted)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an access token stands for."""

    client_id: str
    scopes: frozenset[str]
    expires_at: float


class Tokens:
    """The access tokens given out, by their text."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._tokens: dict[str, Token] = {}

    def issue(self, token: Token) -> str:
        """Give out a token and return its text."""
        text = f"{self._rng.getrandbits(256):064x}"
        self._tokens[text] = token
        return text

    def find(self, text: str) -> Token | None:
        """The token with that text, expired or not."""
        return self._tokens.get(text)

    def expire(self, client_id: str) -> None:
        """Make every token of a client invalid at once."""
        self._tokens = {k: t for k, t in self._tokens.items() if t.client_id != client_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token request as it was sent: its form and what HTTP Basic said."""

    form: Mapping[str, str]
    client_id: str | None
    secret: str | None

    @classmethod
    def read(cls, body: bytes, authorization: str | None) -> TokenRequest:
        """Read form and header; what is unreadable in them counts as not sent."""
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        basic = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
        client_id, secret = basic
        if client_id is None and "assertion" in form:
            client_id = _issuer(form["assertion"])
        return cls(form=form, client_id=client_id, secret=secret)


def grant(
    request: TokenRequest, client: Client | None, *, system: str, audience: str, now: float
) -> tuple[Client, frozenset[str]]:
    """Judge a token request of `client` and return it with the scopes it gets.

    Raises Refused with the errors of RFC 6749: `unsupported_grant_type`, `invalid_client`,
    `invalid_grant`, `invalid_scope`.
    """
    kind, wanted = request.form.get("grant_type"), request.form.get("scope", "").split()
    if kind == "client_credentials":
        proven = _with_secret(request, client)
        return proven, _scopes(wanted, proven.granted)
    if kind == JWT_BEARER and system == "genesys":
        proven, claimed = _with_assertion(request, client, audience=audience, now=now)
        return proven, _scopes(wanted, _scopes(claimed, proven.granted))
    raise refused(400, "unsupported_grant_type", "this grant type is not supported")


def refused(status: int, error: str, description: str) -> Refused:
    """An OAuth error, whose body has the fields of RFC 6749 besides the common ones."""
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else {}
    extra = {"error": error, "error_description": description}
    return Refused(status, error, description, headers=headers, **extra)


def _with_secret(request: TokenRequest, client: Client | None) -> Client:
    if client is None or not client.proves(request.secret):
        raise refused(401, "invalid_client", "client authentication failed")
    return client


def _with_assertion(
    request: TokenRequest, client: Client | None, *, audience: str, now: float
) -> tuple[Client, list[str]]:
    """The client, and the scopes that its assertion claims: none for all that it may have."""
    if client is None or client.public_key is None:
        raise refused(401, "invalid_client", "the client is unknown or has no public key")
    claims = _verified(request.form.get("assertion", ""), client.public_key, audience)
    if not claims["iss"] == claims["sub"] == client.client_id:
        raise refused(400, "invalid_grant", "iss and sub must both be the client's id")
    issued, expires = claims["iat"], claims["exp"]
    if expires > issued + ASSERTION_SECONDS:
        raise refused(400, "invalid_grant", f"exp must be at most iat + {ASSERTION_SECONDS}")
    if issued > now + LEEWAY_SECONDS or expires <= now:
        raise refused(400, "invalid_grant", "the assertion is expired or from the future")
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise refused(400, "invalid_scope", "scope must be a text")
    return client, scope.split()


def _verified(assertion: str, public_key: str, audience: str) -> dict[str, Any]:
    # Times are compared elsewhere, with the clock that was handed in.
    options: Any = {
        "require": ["iss", "sub", "aud", "iat", "exp"],
        "verify_exp": False,
        "verify_iat": False,
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            assertion, public_key, algorithms=["RS256"], audience=audience, options=options
        )
    except jwt.PyJWTError as error:
        reason = type(error).__name__
        raise refused(400, "invalid_grant", f"the assertion was refused: {reason}") from None
    if not all(type(claims[name]) in (int, float) for name in ("iat", "exp")):
        raise refused(400, "invalid_grant", "iat and exp must be numbers")
    return claims


def _scopes(asked: list[str], granted: frozenset[str]) -> frozenset[str]:
    if missing := sorted(set(asked) - granted):
        raise refused(400, "invalid_scope", f"not granted to this client: {' '.join(missing)}")
    return frozenset(asked) or granted


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret


def _issuer(assertion: str) -> str | None:
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError:
        return None
    return issuer if isinstance(issuer, str) else None
