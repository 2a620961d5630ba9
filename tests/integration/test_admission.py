"""Rates, budgets and pauses on a real Redis, shared by all who ask."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tasks.errors import Postponed
from workers.admission import WINDOW_SECONDS, AttemptGate, Rates, SystemGate, burst
from workers.store import Store


@pytest.fixture
def gate(redis: Redis) -> SystemGate:
    return SystemGate(store=Store(redis=redis), tenant="default", system="genesys", per_minute=10)


def rates(redis: Redis, per_second: float) -> Rates:
    return Rates(store=Store(redis=redis), rate_of=lambda _: per_second)


def waits(admission: Rates, messages: int) -> list[float]:
    """Ask for so many messages at once and return how long each has to wait."""
    found = []
    for number in range(messages):
        try:
            admission.admit("merge", f"m-{number}")
            found.append(0.0)
        except Postponed as early:
            found.append(early.wait)
    return found


def test_messages_that_come_at_once_are_told_moments_one_interval_apart(redis: Redis) -> None:
    told = waits(rates(redis, 2.0), 6)
    assert told[0] == 0
    assert told[1:] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5], abs=0.1)


def test_a_burst_of_a_tenth_of_a_second_may_start_at_once(redis: Redis) -> None:
    told = waits(rates(redis, 100.0), 15)
    assert burst(100.0) == 10
    assert [wait == 0 for wait in told[:10]] == [True] * 10
    assert 0 < told[12] < 0.05


def test_a_message_that_comes_back_keeps_its_moment_and_is_not_charged_again(
    redis: Redis,
) -> None:
    admission = rates(redis, 1.0)
    first = waits(admission, 3)
    again = waits(admission, 3)
    assert again == pytest.approx(first, abs=0.1)
    assert again[2] <= first[2]


def test_queues_have_rates_of_their_own(redis: Redis) -> None:
    admission = rates(redis, 1.0)
    admission.admit("merge", "a")
    admission.admit("merge.acme", "a")


def begin(gate: SystemGate, expected: int = 1) -> AttemptGate:
    """Let an attempt of so many calls make its first one."""
    attempt = AttemptGate(gate, expected)
    attempt.enter()
    return attempt


def test_a_budget_is_spent_by_all_together_and_comes_back_after_the_window(
    gate: SystemGate, redis: Redis
) -> None:
    def enter(_: int) -> float:
        try:
            begin(gate)
        except Postponed as spent:
            return spent.wait
        return 0.0

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(enter, range(40)))
    assert told.count(0.0) == 10
    assert all(50 < wait <= WINDOW_SECONDS for wait in told if wait)
    redis.pexpire("gw:window:default:genesys", 1)
    time.sleep(0.01)
    begin(gate)


def test_what_begins_has_to_fit_and_what_has_begun_can_end(gate: SystemGate) -> None:
    first = begin(gate, expected=6)
    with pytest.raises(Postponed, match="genesys of default has spent its budget"):
        begin(gate, expected=6)
    small = begin(gate, expected=4)
    for attempt, calls in ((first, 8), (small, 3)):
        for _ in range(calls):
            attempt.enter()
    with pytest.raises(Postponed):
        begin(gate)


def test_work_that_is_larger_than_the_budget_has_a_window_of_its_own(gate: SystemGate) -> None:
    large = begin(gate, expected=25)
    for _ in range(24):
        large.enter()
    with pytest.raises(Postponed):
        begin(gate)


def test_calls_that_were_reserved_and_not_made_are_given_back(
    gate: SystemGate, redis: Redis
) -> None:
    attempt = begin(gate, expected=7)
    attempt.enter()
    attempt.close()
    attempt.close()
    assert redis.get("gw:window:default:genesys") == b"2"


@pytest.mark.parametrize(("remaining", "left"), [(3, 3), (9, 9), (100, 9), (None, 9), (0, 0)])
def test_the_server_can_lower_what_is_left_of_a_budget_and_never_raise_it(
    gate: SystemGate, remaining: int | None, left: int
) -> None:
    begin(gate).settle(remaining=remaining)
    for _ in range(left):
        begin(gate)
    with pytest.raises(Postponed, match="genesys of default has spent its budget"):
        begin(gate)


def test_what_the_server_says_counts_besides_what_is_reserved(gate: SystemGate) -> None:
    begin(gate, expected=3).settle(remaining=5)
    for _ in range(3):
        begin(gate)
    with pytest.raises(Postponed):
        begin(gate)


def test_a_pause_holds_the_calls_of_one_system_of_one_tenant_also_of_what_has_begun(
    gate: SystemGate,
) -> None:
    begun = begin(gate, expected=3)
    gate.pause(30)
    for attempt in (begun, AttemptGate(gate, 1)):
        with pytest.raises(Postponed, match="genesys of default is paused") as paused:
            attempt.enter()
        assert 29 < paused.value.wait <= 30
        assert paused.value.deadline == 86_400
    for tenant, system in (("default", "cxone"), ("acme", "genesys")):
        begin(SystemGate(store=gate.store, tenant=tenant, system=system, per_minute=10))


def test_a_longer_pause_outlasts_a_shorter_one(gate: SystemGate) -> None:
    gate.pause(30)
    gate.pause(1)
    with pytest.raises(Postponed) as paused:
        begin(gate)
    assert paused.value.wait > 29


def test_a_script_that_redis_forgot_is_loaded_again(gate: SystemGate, redis: Redis) -> None:
    begin(gate)
    redis.script_flush()
    begin(gate)
    assert redis.get("gw:window:default:genesys") == b"2"
