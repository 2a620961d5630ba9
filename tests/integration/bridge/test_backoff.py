"""Failures are remembered in Redis, whatever process meets them."""

from __future__ import annotations

from random import Random

import pytest
from redis import Redis

from workers.bridge.state.backoff import KEEP, Backoff, Failing, Waits
from workers.policy import LONGEST_PAUSE
from workers.store import Store


def backoff(redis: Redis, tenant: str = "acme", **waits: float) -> Backoff:
    return Backoff(store=Store(redis=redis), tenant=tenant, waits=Waits(**waits), random=Random(1))


def test_without_failures_nothing_is_waited_for(redis: Redis) -> None:
    assert backoff(redis).left() == 0
    assert backoff(redis).failing() == Failing()


def test_waits_grow_and_outlive_the_process(redis: Redis) -> None:
    waited = [backoff(redis).failed() for _ in range(9)]
    assert waited[0] <= 1
    assert waited[8] >= 30
    assert sorted(waited) == waited
    again = backoff(redis)
    assert again.failing().failures == 9
    assert waited[8] - 5 < again.left() <= waited[8]


def test_a_success_begins_anew(redis: Redis) -> None:
    failing = backoff(redis)
    for _ in range(9):
        failing.failed()
    failing.succeeded()
    assert failing.left() == 0
    assert failing.failed() <= 1


def test_what_was_asked_for_is_not_cut_short_by_another_failure(redis: Redis) -> None:
    failing = backoff(redis)
    assert failing.failed(retry_after=300) == pytest.approx(300, abs=5)
    assert 295 < failing.failed() <= 300
    assert 295 < failing.left() <= 300
    assert failing.failed(retry_after=600) == pytest.approx(600, abs=5)


def test_a_wait_is_over_by_the_clock_of_redis(redis: Redis) -> None:
    failing = backoff(redis)
    failing.failed()
    store = Store(redis=redis)
    redis.hset("gw:bridge:acme:backoff", "not_before", repr(store.now() - 1))
    assert failing.left() == 0
    assert failing.failing().failures == 1


def test_each_tenant_has_its_own(redis: Redis) -> None:
    backoff(redis).failed(retry_after=60)
    assert backoff(redis, "other").left() == 0


def test_old_failures_are_forgotten_after_any_wait(redis: Redis) -> None:
    backoff(redis).failed(retry_after=10**9)
    assert LONGEST_PAUSE < KEEP
    assert KEEP - 5 < int(redis.ttl("gw:bridge:acme:backoff")) <= KEEP
