"""What systems do in ways of their own before and after a route: senders, budgets, errors, ids."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from workers.sandbox.authentication import BEARER, Authentication
from workers.sandbox.call import Route
from workers.sandbox.errors import Refused
from workers.sandbox.limits import MINUTE, Budget, Quota
from workers.sandbox.oauth import Client, Token
from workers.sandbox.options import Options


def _quota(client: Client, options: Options) -> Quota:
    limit = client.requests_per_minute or options.requests_per_minute
    return ("minute", client.client_id), limit, MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between systems in all that no route of theirs does."""

    #: Headers that may bring a request's correlation id; the first that does counts.
    correlation_headers: tuple[str, ...]
    #: The header that every answer carries: the request's id, or one that the system makes.
    context_header: str
    makes_context: bool
    #: The body of a refusal, for the context id that the answer carries.
    error_body: Callable[[Refused, str], Mapping[str, Any]]
    #: The headers that tell a budget at a moment (epoch seconds).
    rate_limit_headers: Callable[[Budget, float, Options], Mapping[str, str]]
    #: The 429 for a budget that is spent at a moment.
    too_many_requests: Callable[[Budget, float, Options], Refused]
    #: Raises Refused (403) where the token or its client may not call the route.
    authorize: Callable[[Route, Token, Client], None]
    #: How the system spells codes of the engine, where it spells them otherwise.
    codes: Mapping[str, str] = field(default_factory=dict)
    authentication: Authentication = BEARER
    #: Raises Refused where a request lacks what the system asks of every one.
    demand: Callable[[web.Request], None] = lambda _request: None
    #: What a client's calls are charged to.
    quota: Callable[[Client, Options], Quota] = _quota
    #: The longest request body, in bytes.
    body_limit: Callable[[Options], int] = lambda options: options.body_limit

    def body(self, refusal: Refused, context_id: str) -> Mapping[str, Any]:
        """The body of a refusal, its code spelled as this system does."""
        refusal.code = self.codes.get(refusal.code, refusal.code)
        return self.error_body(refusal, context_id)


def _rate_limit_headers(budget: Budget, _now: float, _options: Options) -> Mapping[str, str]:
    return {"X-RateLimit-Remaining": str(budget.left)}


def _too_many_requests(budget: Budget, now: float, options: Options) -> Refused:
    """429 whose `Retry-After` is never too early: seconds and dates are rounded up."""
    if options.retry_after == "date":
        retry_after = formatdate(math.ceil(budget.ends), usegmt=True)
    else:
        retry_after = str(budget.seconds(now))
    message = "Rate limit exceeded the maximum"
    return Refused(429, "too.many.requests", message, headers={"Retry-After": retry_after})


def _check_scope(route: Route, token: Token, _client: Client) -> None:
    if route.scope and route.scope not in token.scopes:
        message = f"the access token lacks the scope {route.scope}"
        raise Refused(403, "missing.scope", message, scope=route.scope)


#: As the guides describe it.
GUIDE = Dialect(
    correlation_headers=("X-Correlation-Id",),
    context_header="X-Correlation-Id",
    makes_context=False,
    error_body=Refused.body,
    rate_limit_headers=_rate_limit_headers,
    too_many_requests=_too_many_requests,
    authorize=_check_scope,
    codes={"bad.credentials": "authentication.required"},
)
