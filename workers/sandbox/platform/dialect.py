"""How the Platform API words errors and budgets."""

from __future__ import annotations

from collections.abc import Mapping

from workers.sandbox.dialect import Dialect
from workers.sandbox.errors import Refused
from workers.sandbox.limits import Budget
from workers.sandbox.options import Options
from workers.sandbox.platform.errors import error_body, refuse
from workers.sandbox.platform.permissions import check_permissions

RETRY = "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"
NO_WAIT = "Rate limit exceeded the maximum [{allowed}] requests within [60] seconds"


def rate_limit_headers(budget: Budget, now: float, options: Options) -> Mapping[str, str]:
    """Three headers; `reset` is seconds that remain, not a moment."""
    count, reset = str(budget.allowed - budget.left), str(budget.seconds(now))
    headers = {"inin-ratelimit-count": count, "inin-ratelimit-allowed": str(budget.allowed)}
    told = budget.left or "reset" in options.wait_told_in
    return {**headers, "inin-ratelimit-reset": reset} if told else headers


def too_many_requests(budget: Budget, now: float, options: Options) -> Refused:
    """429 that says how long to wait in those places alone that the options name."""
    seconds = str(budget.seconds(now))
    if "body" in options.wait_told_in:
        refusal = refuse(429, "too.many.requests.retry.after", RETRY, seconds=seconds)
    else:
        refusal = refuse(429, "too.many.requests", NO_WAIT, allowed=str(budget.allowed))
    if "retry-after" in options.wait_told_in:
        refusal.headers["Retry-After"] = seconds
    return refusal


PLATFORM = Dialect(
    correlation_headers=("ININ-Correlation-Id", "X-Correlation-Id"),
    context_header="ININ-Correlation-Id",
    makes_context=True,
    error_body=error_body,
    rate_limit_headers=rate_limit_headers,
    too_many_requests=too_many_requests,
    authorize=check_permissions,
    codes={
        "body.too.large": "request.entity.too.large",
        "invalid.json": "bad.request",
        "internal.error": "internal.server.error",
    },
)
