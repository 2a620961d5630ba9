"""What Digital Engagement asks of every request, and how it words refusals."""

from __future__ import annotations

import re
from dataclasses import replace

from aiohttp import web

from workers.sandbox.authentication import BEARER
from workers.sandbox.cxone_digital.access_keys import applicant
from workers.sandbox.cxone_digital.errors import error_body
from workers.sandbox.dialect import Dialect
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.limits import MINUTE, Budget, Quota
from workers.sandbox.oauth import Client
from workers.sandbox.options import Options

JSON = "application/json"
_ENCODED = re.compile(r"(?:[A-Za-z0-9/._~-]|%[0-9A-Fa-f]{2})*")


def demand(request: web.Request) -> None:
    """Raise Refused: 406 unless JSON is accepted, 400 unless the path is percent-encoded."""
    accepted = {
        each.partition(";")[0].strip() for each in request.headers.get("Accept", "").split(",")
    }
    if JSON not in accepted:
        raise Refused(406, "not.acceptable", f"the request must accept {JSON}")
    if not _ENCODED.fullmatch(request.raw_path.partition("?")[0]):
        raise bad_request("ids in the path must be percent-encoded")


def quota(client: Client, options: Options) -> Quota:
    """A tenant's clients share one budget."""
    limit = client.requests_per_minute or options.requests_per_minute
    return ("dfo", client.organization), limit, MINUTE


def too_many_requests(_budget: Budget, _now: float, _options: Options) -> Refused:
    """429 that does not say how long to wait."""
    return Refused(429, "rate.limit.exceeded", "too many requests for this tenant")


DFO = Dialect(
    correlation_headers=("X-Correlation-Id",),
    context_header="X-Correlation-Id",
    makes_context=True,
    error_body=error_body,
    rate_limit_headers=lambda _budget, _now, _options: {},
    too_many_requests=too_many_requests,
    authorize=lambda _route, _token, _client: None,
    authentication=replace(BEARER, applicant=applicant),
    demand=demand,
    quota=quota,
)
