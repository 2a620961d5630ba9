"""What the contracts say in ways of their own besides a status: budgets, waits, correlation ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.apis import retry_after
from tasks.apis.calls import Allowance, Answer

Headers = Mapping[str, str]

_RETRY_IN = re.compile(r"retry the request in \[?([0-9]{1,9})\]? second", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How the answers of one contract are read, and how its requests are marked."""

    #: The headers of a request that carry our correlation id.
    correlation: tuple[str, ...]
    #: The header of an answer under which the vendor's support finds the exchange.
    reference: str
    #: What an answer says is left of the client's budget.
    allowance: Callable[[Headers], Allowance]
    #: The seconds that a 429 asks to wait for at an epoch time, None where it names none.
    wait: Callable[[Answer, float], float | None]
    #: Whether a 4xx of the token endpoint says that too many tokens were asked for.
    throttled: Callable[[Answer], bool]


def _number(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch("[0-9]{1,9}", value) else None


def _guide_allowance(headers: Headers) -> Allowance:
    return Allowance(remaining=_number(headers.get("X-RateLimit-Remaining")))


def _guide_wait(answer: Answer, now: float) -> float | None:
    return retry_after.parse(answer.headers.get("Retry-After"), now)


def _platform_allowance(headers: Headers) -> Allowance:
    """Read the three headers; `reset` is in seconds that remain, not a moment."""
    count = _number(headers.get("inin-ratelimit-count"))
    allowed = _number(headers.get("inin-ratelimit-allowed"))
    if count is None or allowed is None:
        return Allowance()
    reset = _number(headers.get("inin-ratelimit-reset"))
    return Allowance(remaining=max(0, allowed - count), resets_in=reset)


def _platform_wait(answer: Answer, now: float) -> float | None:
    """Read the wait from the first of the three places that has one."""
    asked = retry_after.parse(answer.headers.get("Retry-After"), now)
    if asked is None:
        asked = _number(answer.headers.get("inin-ratelimit-reset"))
    return _wait_in(answer.body) if asked is None else asked


def _wait_in(body: object) -> float | None:
    """Return the seconds that an `ErrorBody` names, in its message or in the message's params."""
    if not isinstance(body, dict):
        return None
    texts = (body.get("message"), _filled(body.get("messageWithParams"), body.get("messageParams")))
    found = (_RETRY_IN.search(text) for text in texts if isinstance(text, str))
    return next((float(match[1]) for match in found if match), None)


def _filled(template: object, params: object) -> str | None:
    if not isinstance(template, str) or not isinstance(params, dict):
        return None
    return re.sub(r"\{(\w+)\}", lambda name: str(params.get(name[1], "")), template)


def _says_rate_limit(answer: Answer) -> bool:
    """Tell the vendor's 400 `invalid_request` "rate limit exceeded" from a wrong request."""
    body: dict[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    texts = (body.get(name) for name in ("description", "error_description", "message"))
    return (
        answer.status == 400
        and body.get("error") == "invalid_request"
        and any(isinstance(text, str) and "rate limit exceeded" in text.lower() for text in texts)
    )


#: The integration guides' endpoints, and CXone's.
GUIDE = Dialect(
    correlation=("X-Correlation-Id",),
    reference="X-Correlation-Id",
    allowance=_guide_allowance,
    wait=_guide_wait,
    throttled=lambda _: False,
)

#: The published Platform API. It documents no header for a client's own correlation id; where it
#: takes one over, it is by the name that its answers use (vendor's SDK for Python 257.1.0).
PLATFORM = Dialect(
    correlation=("X-Correlation-Id", "ININ-Correlation-Id"),
    reference="ININ-Correlation-Id",
    allowance=_platform_allowance,
    wait=_platform_wait,
    throttled=_says_rate_limit,
)
