"""The error policy: deciding is a pure function of a table."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tasks import errors
from workers import policy
from workers.policy import DAY, Adjustment, End, PutBack, adjusted, decide

WHERE: dict[str, Any] = {"system": "genesys", "method": "PATCH", "route": "/x", "status": 0}
CHANGED = errors.StateChanged(**WHERE)
UNKNOWN = errors.OutcomeUnknown(**WHERE)


class FullJitter(Random):
    """Draws the longest wait."""

    def uniform(self, _: float, most: float) -> float:
        return most


def limited(retry_after: float | None) -> errors.RateLimited:
    return errors.RateLimited(retry_after=retry_after, **WHERE)


def after(
    error: Exception, *, tries: int = 0, elapsed: float = 0.0, rules: Any = policy.POLICY
) -> PutBack | End:
    """Decide about `error` where its cause has failed so many times before."""
    counted = {policy.rule_for(error).name: tries}
    return decide(error, tries=counted, elapsed=elapsed, random=FullJitter(), rules=rules)


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (CHANGED, [0.5, 1, 2, 4]),
        (UNKNOWN, [1, 2, 4, 8, 16, 32, 64]),
        (errors.Unreachable(**WHERE), [1, 2, 4, 8, 16, 32, 64]),
        (KeyError("a bug"), [1, 2]),
    ],
    ids=["409", "5xx", "unreachable", "our own fault"],
)
def test_a_wait_doubles_with_every_try_until_they_are_used_up(
    error: Exception, waits: list[float]
) -> None:
    decisions = [after(error, tries=tries) for tries in range(len(waits) + 1)]
    assert [d.wait for d in decisions if isinstance(d, PutBack)] == waits
    assert isinstance(decisions[-1], End)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadRequest(**WHERE), "rejected"),
        (errors.TooLarge(limit=9, **WHERE), "rejected"),
        (errors.Unauthenticated(**WHERE), "rejected"),
        (errors.Forbidden(missing="scope", **WHERE), "rejected"),
        (errors.NotFound(**WHERE), "rejected"),
        (errors.Unprocessable(fields={}, **WHERE), "rejected"),
        (errors.Rejected("field: rule"), "rejected"),
        (errors.Unsupported("not here"), "unsupported"),
        (errors.Conflict("lost"), "conflict"),
        (errors.Failed("no more"), "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_can_never_work_ends_at_once(error: Exception, status: str) -> None:
    decision = after(error)
    assert isinstance(decision, End)
    assert decision.error.status == status


@pytest.mark.parametrize(
    ("told", "wait"), [(20.0, 20.0), (None, 5.0), (0.0, 0.5), (7200.0, 7200.0)]
)
def test_a_429_waits_what_it_says_however_often_it_is_met(told: float | None, wait: float) -> None:
    assert after(limited(told), tries=1000) == PutBack(wait=wait)


def test_a_429_is_waited_for_no_longer_than_a_day() -> None:
    decision = after(limited(10), elapsed=DAY - 9)
    assert isinstance(decision, End)
    assert decision.error.status == "failed"


def test_a_wait_of_our_own_has_no_end_unless_it_names_one() -> None:
    assert after(errors.Postponed("budget", 3), elapsed=30 * DAY) == PutBack(wait=3)
    late = after(errors.Postponed("the chat is live", 60, deadline=100), elapsed=50)
    assert isinstance(late, End)


def test_a_write_that_has_to_settle_is_not_read_back_before() -> None:
    error = errors.OutcomeUnknown(**WHERE)
    error.settling = 10
    assert after(error) == PutBack(wait=10, cause="OutcomeUnknown")


def test_what_is_said_of_a_fault_of_ours_quotes_none_of_its_text() -> None:
    decision = after(KeyError("jane@example.com"), tries=2)
    assert isinstance(decision, End)
    assert "KeyError" in str(decision.error)
    assert "jane" not in str(decision.error)


def test_an_installation_can_change_the_numbers_of_a_rule_and_of_no_other() -> None:
    rules = adjusted({"409": Adjustment(tries=2, first_wait=9, longest_wait=9)})
    assert after(CHANGED, rules=rules) == PutBack(wait=9, cause="StateChanged")
    assert isinstance(after(CHANGED, tries=1, rules=rules), End)
    assert after(UNKNOWN, rules=rules) == after(UNKNOWN)


def test_a_pause_lasts_half_a_second_at_least_and_a_day_at_most() -> None:
    rule = policy.rule_for(limited(None))
    pauses = [policy.pause_after(limited(told), rule) for told in (0.0, 60.0, 1e9)]
    assert pauses == [0.5, 60.0, DAY]


def test_a_429_that_names_no_wait_waits_as_long_as_the_installation_says() -> None:
    rules = adjusted({"429": Adjustment(first_wait=30)})
    assert after(limited(None), rules=rules) == PutBack(wait=30)
