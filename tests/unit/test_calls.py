"""What the calls of an attempt are counted as."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tasks.apis.calls import Call
from workers.outside.calls import CountedCalls

ROUTE = "/api/v2/identity/profiles/merge"


@pytest.mark.parametrize(
    ("effect", "status", "touched"),
    [
        (True, 200, True),
        (True, 204, True),
        (True, 301, False),
        (True, 409, False),
        (True, 429, False),
        (True, 500, True),
        (True, 503, True),
        (True, None, True),
        (False, 200, False),
        (False, 500, False),
        (False, None, False),
    ],
)
def test_a_call_has_changed_something_or_may_have_unless_it_was_refused(
    effect: bool, status: int | None, touched: bool
) -> None:
    calls = CountedCalls()
    calls.answered(call(effect=effect), status=status, seconds=0.1)
    assert calls.touched is touched


def test_what_was_changed_stays_changed_whatever_is_refused_later() -> None:
    calls = CountedCalls()
    for status in (200, 409):
        calls.answered(call(effect=True), status=status, seconds=0.1)
    assert calls.touched


def test_a_change_is_told_before_it_is_sent_and_a_read_is_not() -> None:
    told: list[tuple[str, float]] = []
    calls = CountedCalls(intend=lambda route, within: told.append((route, within)))
    for effect in (False, True):
        calls.sending(call(effect=effect), within=30.0)
    assert told == [(ROUTE, 30.0)]
    assert calls.made == 2


def test_an_answer_that_was_not_expected_is_logged_with_the_servers_own_id() -> None:
    with capture_logs() as logged:
        for status, reference in ((200, "ref-1"), (500, "ref-2")):
            CountedCalls().answered(
                call(effect=True), status=status, seconds=0.1, reference=reference
            )
    assert [line.get("reference") for line in logged] == [None, "ref-2"]


def call(*, effect: bool) -> Call:
    return Call(method="POST", route=ROUTE, needs="identity:merge", effect=effect)
