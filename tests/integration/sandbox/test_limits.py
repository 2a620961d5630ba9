"""Budgets: the minute of a client, the second of the participants."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
NOTHING = "/api/v2/interactions/contacts/none"
PARTICIPANTS = "/api/v2/conversations/voice/participants"


def test_a_budget_begins_with_the_first_call_and_lasts_sixty_seconds(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.put_client("sandbox-client", requests_per_minute=3)
    clock.advance(100)
    answers = []
    for _ in range(4):
        answers.append(genesys("GET", NOTHING))
        clock.advance(10)
    assert [each.status_code for each in answers] == [404, 404, 404, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["Retry-After"] == "30"
    clock.advance(19.5)
    refused = genesys("GET", NOTHING)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    clock.advance(0.5)
    assert genesys("GET", NOTHING).headers["X-RateLimit-Remaining"] == "2"


def test_retry_after_may_be_a_date_that_is_never_too_early(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.options(requests_per_minute=1, retry_after="date")
    clock.advance(0.25)
    genesys("GET", NOTHING)
    date = genesys("GET", NOTHING).headers["Retry-After"]
    assert date.endswith(" GMT")
    assert parsedate_to_datetime(date).timestamp() == clock.now - 0.25 + 61


def test_one_clients_calls_leave_the_others_budget_alone(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask]
) -> None:
    sandbox.options(requests_per_minute=1)
    first = ask_as("sandbox-client", "sandbox-secret")
    second = ask_as("acme-client", "acme-secret")
    assert [first("GET", NOTHING).status_code for _ in range(2)] == [404, 429]
    assert second("GET", NOTHING).status_code == 404


def test_two_tokens_of_a_client_share_its_budget(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask]
) -> None:
    sandbox.put_client("sandbox-client", requests_per_minute=1)
    one, other = (ask_as("sandbox-client", "sandbox-secret") for _ in range(2))
    assert one("GET", NOTHING).status_code == 404
    assert other("GET", NOTHING).status_code == 429


def test_token_requests_and_refused_tokens_cost_no_budget(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask]
) -> None:
    sandbox.put_client("sandbox-client", requests_per_minute=1)
    ask_as("sandbox-client", "sandbox-secret")
    ask = ask_as("sandbox-client", "sandbox-secret")
    ask("GET", NOTHING, headers={"Authorization": "Bearer nonsense"})
    assert ask("GET", NOTHING).status_code == 404


def test_a_call_that_lacks_a_scope_costs_budget(ask_as: Callable[..., Ask]) -> None:
    ask = ask_as("sandbox-client", "sandbox-secret", scope="audit:read")
    assert ask("GET", NOTHING).headers["X-RateLimit-Remaining"] == "299"
    assert ask("GET", NOTHING).headers["X-RateLimit-Remaining"] == "298"


def test_participants_take_a_hundred_requests_a_second(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    paths = [PARTICIPANTS, f"{PARTICIPANTS}/none"] * 50
    assert {genesys("GET", path).status_code for path in paths} == {400}
    refused = genesys("GET", PARTICIPANTS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.headers["X-RateLimit-Remaining"] == "200"
    assert genesys("GET", NOTHING).headers["X-RateLimit-Remaining"] == "199"
    clock.advance(1)
    assert genesys("GET", PARTICIPANTS).status_code == 400
