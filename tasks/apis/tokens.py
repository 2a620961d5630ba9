"""OAuth tokens: how one is fetched, and where the one of the cluster is kept.

The grants here are those of RFC 6749 (client credentials) and RFC 7523 (JWT bearer). A token's life
is what `expires_in` says, never a constant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Protocol, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field

ASSERTION_SECONDS = 600
LONGEST_LIFE = 366 * 86_400
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class _TokenBody(BaseModel):
    """The answer of RFC 6749, section 5.1; a token is visible ASCII (appendix A.12)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", repr=False)]
    expires_in: Annotated[float, Field(gt=0, le=LONGEST_LIFE, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token and its remaining life in seconds."""

    value: str = field(repr=False)
    expires_in: float

    @classmethod
    def parse(cls, body: object) -> Self:
        """Return the token that a token endpoint's `body` holds, or raise `ValidationError`."""
        answer = _TokenBody.model_validate(body)
        return cls(value=answer.access_token, expires_in=answer.expires_in)


class TokenStore(Protocol):
    """Keeps one token per client for the whole cluster; one process renews it at a time."""

    def obtain(self, client: str, fetch: Callable[[], Token], *, refused: str | None = None) -> str:
        """Return the token of `client`, fetching one where there is none.

        A token equal to `refused` (the API answered 401 to it) is replaced. Raises what `fetch`
        raises, and `Postponed` where another process takes too long to renew.
        """
        ...


class Grant(Protocol):
    """A way to ask for a token: the form that is posted, and HTTP Basic credentials if any.

    With `as_json` the form's fields travel as a JSON object.
    """

    as_json: ClassVar[bool]

    @property
    def client_id(self) -> str: ...

    @property
    def scope(self) -> str: ...

    def form(self) -> Mapping[str, str]: ...

    def basic(self) -> tuple[str, str] | None: ...


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """The client-credentials grant, authenticated by HTTP Basic."""

    as_json: ClassVar[bool] = False

    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""

    def form(self) -> Mapping[str, str]:
        scope = {"scope": self.scope} if self.scope else {}
        return {"grant_type": "client_credentials", **scope}

    def basic(self) -> tuple[str, str] | None:
        return self.client_id, self.client_secret


@dataclass(frozen=True, kw_only=True)
class JwtBearer:
    """The JWT-bearer grant: an assertion signed with RS256 by the client's private key (PEM)."""

    as_json: ClassVar[bool] = False

    client_id: str
    private_key: str = field(repr=False)
    audience: str
    scope: str = ""
    clock: Callable[[], float] = time.time

    def form(self) -> Mapping[str, str]:
        return {"grant_type": JWT_BEARER, "assertion": self.assertion()}

    def basic(self) -> tuple[str, str] | None:
        return None

    def assertion(self) -> str:
        """Return the signed assertion, valid for ten minutes from now."""
        now = int(self.clock())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        scope = {"scope": self.scope} if self.scope else {}
        return jwt.encode({**claims, **scope}, self.private_key, algorithm="RS256")


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key that every request carries as `X-API-Key`, in the place of a token."""

    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Anonymous:
    """No credential at all: for what anybody may read."""
