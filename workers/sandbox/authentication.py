"""How a request proves who sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.sandbox.oauth import Token, TokenRequest

if TYPE_CHECKING:
    from workers.sandbox.simulation import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Where a system's requests carry their credential, and whose it is."""

    #: The credential that the headers of a request carry, "" for none.
    credential: Callable[[Mapping[str, str]], str]
    #: What a credential stands for: a token, expired or not, or None for an unknown one.
    token: Callable[[Simulation, str], Token | None]
    #: The client that a token request (its body and `Authorization`) names.
    applicant: Callable[[bytes, str], str | None]
    #: What a 401 asks for in `WWW-Authenticate`, "" for nothing.
    challenge: str


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, text = headers.get("Authorization", "").partition(" ")
    return text if scheme.lower() == "bearer" else ""


def _applicant(body: bytes, authorization: str) -> str | None:
    return TokenRequest.read(body, authorization).client_id


#: `Authorization: Bearer` with an access token that the system has given out.
BEARER = Authentication(
    credential=_bearer,
    token=lambda simulation, text: simulation.tokens.find(text),
    applicant=_applicant,
    challenge="Bearer",
)
