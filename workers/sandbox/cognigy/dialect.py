"""How Cognigy.AI knows who asks, how often anybody may, and how it words refusals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aiohttp import web

from workers.sandbox.authentication import Authentication
from workers.sandbox.cognigy.errors import error_body
from workers.sandbox.dialect import Dialect
from workers.sandbox.errors import Refused
from workers.sandbox.limits import MINUTE, Budget, Quota
from workers.sandbox.oauth import Client, Token
from workers.sandbox.options import Options

if TYPE_CHECKING:
    from workers.sandbox.simulation import Simulation

_QUERY_NAMES = frozenset({"api_key", "x-api-key", "apikey"})


def token(simulation: Simulation, key: str) -> Token | None:
    """What an API key stands for; it never expires."""
    for client in simulation.clients.values():
        if client.system == "cognigy" and client.proves(key):
            return Token(client_id=client.client_id, scopes=frozenset(), expires_at=math.inf)
    return None


def demand(request: web.Request) -> None:
    """Raise Refused (401) for an API key in the query string, where logs would keep it."""
    if any(name.lower() in _QUERY_NAMES for name in request.query):
        raise Refused(401, "bad.credentials", "the API key belongs into the header X-API-Key")


def quota(client: Client, options: Options) -> Quota:
    """The keys of an organisation share one budget."""
    seconds, limit = options.cognigy_window_seconds, options.cognigy_requests
    if client.requests_per_minute:
        limit = math.ceil(client.requests_per_minute * seconds / MINUTE)
    return ("cognigy", client.organization), limit, seconds


def too_many_requests(_budget: Budget, _now: float, _options: Options) -> Refused:
    """429; the vendor's documentation names no header that says how long to wait."""
    return Refused(429, "rate.limit.exceeded", "too many requests")


COGNIGY = Dialect(
    correlation_headers=("X-Correlation-Id",),
    context_header="X-Correlation-Id",
    makes_context=True,
    error_body=error_body,
    rate_limit_headers=lambda _budget, _now, _options: {},
    too_many_requests=too_many_requests,
    authorize=lambda _route, _token, _client: None,
    authentication=Authentication(
        credential=lambda headers: headers.get("X-API-Key", ""),
        token=token,
        applicant=lambda _body, _authorization: None,
        challenge="",
    ),
    demand=demand,
    quota=quota,
    body_limit=lambda options: min(options.body_limit, options.cognigy_body_limit),
)
