"""What the contracts say besides a status: budgets, waits, tokens refused for their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tasks import errors
from tasks.apis import answers
from tasks.apis.calls import Allowance, Answer, Call
from tasks.apis.dialects import GUIDE, PLATFORM, Dialect

CALL = Call(method="POST", route="/oauth/token", needs="its grant allowed", kind="token")
IN_SECONDS = "Rate limit exceeded the maximum. Retry the request in [{}] seconds"
TEMPLATE = "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"


@pytest.mark.parametrize(
    ("dialect", "headers", "allowance"),
    [
        (GUIDE, {"X-RateLimit-Remaining": "41"}, Allowance(remaining=41)),
        (GUIDE, {"inin-ratelimit-count": "1", "inin-ratelimit-allowed": "9"}, Allowance()),
        (PLATFORM, {"X-RateLimit-Remaining": "41"}, Allowance()),
        (
            PLATFORM,
            {"inin-ratelimit-count": "7", "inin-ratelimit-allowed": "300"},
            Allowance(remaining=293),
        ),
        (
            PLATFORM,
            {
                "inin-ratelimit-count": "301",
                "inin-ratelimit-allowed": "300",
                "inin-ratelimit-reset": "12",
            },
            Allowance(remaining=0, resets_in=12),
        ),
        (PLATFORM, {"inin-ratelimit-count": "7", "inin-ratelimit-reset": "12"}, Allowance()),
        (PLATFORM, {"inin-ratelimit-count": "-7", "inin-ratelimit-allowed": "300"}, Allowance()),
        (PLATFORM, {"inin-ratelimit-count": "7", "inin-ratelimit-allowed": "many"}, Allowance()),
        (PLATFORM, {}, Allowance()),
    ],
)
def test_what_is_left_of_a_window_stands_in_headers_of_the_contract(
    dialect: Dialect, headers: Mapping[str, str], allowance: Allowance
) -> None:
    assert dialect.allowance(headers) == allowance


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry-After": "47", "inin-ratelimit-reset": "3"}, {"message": IN_SECONDS.format(9)}, 47),
        ({"inin-ratelimit-reset": "3"}, {"message": IN_SECONDS.format(9)}, 3),
        ({}, {"message": IN_SECONDS.format(9)}, 9),
        ({"Retry-After": "soon"}, {"message": IN_SECONDS.format(9)}, 9),
        ({}, {"message": "retry the request in 90 seconds"}, 90),
        ({}, {"messageWithParams": TEMPLATE, "messageParams": {"seconds": "33"}}, 33),
        ({}, {"messageWithParams": TEMPLATE, "messageParams": {"seconds": 33}}, 33),
        ({}, {"messageWithParams": TEMPLATE, "messageParams": {}}, None),
        ({}, {"messageWithParams": TEMPLATE}, None),
        (
            {},
            {"message": "Rate limit exceeded the maximum [300] requests within [60] seconds"},
            None,
        ),
        ({}, {"message": ["in [9] seconds"]}, None),
        ({}, "retry the request in [9] seconds", None),
        ({}, None, None),
    ],
)
def test_a_platform_429_tells_its_wait_in_one_of_three_places_the_first_counts(
    headers: Mapping[str, str], body: object, wait: float | None
) -> None:
    answer = Answer(status=429, headers=headers, body=body)
    error = answers.explain("genesys", CALL, answer, 0.0, PLATFORM)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == wait


def test_a_guide_429_tells_its_wait_in_retry_after_alone() -> None:
    body = {"message": IN_SECONDS.format(9)}
    answer = Answer(status=429, headers={"inin-ratelimit-reset": "3"}, body=body)
    error = answers.explain("genesys", CALL, answer, 0.0, GUIDE)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after is None


def refused(**body: Any) -> dict[str, Any]:
    return {"error": "invalid_request", **body}


@pytest.mark.parametrize(
    ("dialect", "status", "body", "error"),
    [
        (PLATFORM, 400, refused(description="rate limit exceeded"), errors.RateLimited),
        (PLATFORM, 400, refused(error_description="Rate limit exceeded"), errors.RateLimited),
        (PLATFORM, 400, refused(description="missing grant_type"), errors.Unauthenticated),
        (PLATFORM, 400, refused(), errors.Unauthenticated),
        (
            PLATFORM,
            400,
            {"error": "invalid_client", "description": "rate limit exceeded"},
            errors.Unauthenticated,
        ),
        (PLATFORM, 401, refused(description="rate limit exceeded"), errors.Unauthenticated),
        (PLATFORM, 400, None, errors.Unauthenticated),
        (PLATFORM, 429, None, errors.RateLimited),
        (GUIDE, 400, refused(description="rate limit exceeded"), errors.Unauthenticated),
    ],
)
def test_a_platform_that_gives_too_many_tokens_says_so_with_a_400(
    dialect: Dialect, status: int, body: object, error: type[errors.ApiError]
) -> None:
    answer = Answer(status=status, headers={"Retry-After": "8"}, body=body)
    explanation = answers.explain_token("genesys", CALL, answer, 0.0, dialect)
    assert type(explanation) is error
    if isinstance(explanation, errors.RateLimited):
        assert explanation.retry_after == 8
