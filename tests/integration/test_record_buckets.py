"""The bucket of each record on a real Redis, shared by all who write it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tasks.errors import Postponed
from tests.support.waiting import wait_until
from workers.limits.budgets import DEADLINE
from workers.limits.record_buckets import RecordBuckets
from workers.store import Store

SLOW = 0.5


def buckets(redis: Redis, burst: int, per_minute: float, tenant: str = "acme") -> RecordBuckets:
    store = Store(redis=redis)
    return RecordBuckets(
        store=store, tenant=tenant, system="cxone", burst=burst, per_minute=per_minute
    )


def taken(bucket: RecordBuckets, record: str = "customer-1") -> bool:
    try:
        bucket.take(record)
    except Postponed:
        return False
    return True


def take_all(bucket: RecordBuckets) -> None:
    """Take until it is too early, which is the second time unless the machine is busy."""
    while True:
        bucket.take("customer-1")


def test_no_stretch_of_time_sees_more_than_a_burst_and_what_flows_in(redis: Redis) -> None:
    burst, per_second = 5, 40
    workers = [buckets(redis, burst, per_second * 60) for _ in range(3)]
    writes: list[tuple[float, float]] = []
    asked = 0

    def ask() -> bool:
        nonlocal asked
        before = time.monotonic()
        if taken(workers[asked % 3]):
            writes.append((before, time.monotonic()))
        asked += 1
        return len(writes) >= burst + per_second and asked > 2 * len(writes)

    wait_until(ask, 30, "many have asked, and many were refused", pause=0)
    for first, (before, _) in enumerate(writes):
        for last, (_, after) in enumerate(writes[first:], first):
            # Half a millisecond: Redis and this process count on clocks of their own.
            assert last - first + 1 <= burst + (after - before + 0.0005) * per_second


def test_all_who_ask_at_once_get_one_burst_together(redis: Redis) -> None:
    bucket = buckets(redis, 20, SLOW)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: taken(bucket), range(100)))
    assert sum(found) == 20


def test_who_comes_too_early_is_told_when_there_is_room(redis: Redis) -> None:
    bucket = buckets(redis, 1, 300)
    with pytest.raises(Postponed) as postponed:
        take_all(bucket)
    assert postponed.value.deadline == DEADLINE
    assert 0 < postponed.value.wait <= 0.2
    assert "customer-1" not in str(postponed.value)
    time.sleep(postponed.value.wait + 0.005)
    bucket.take("customer-1")


def test_a_refusal_costs_nothing(redis: Redis) -> None:
    bucket = buckets(redis, 1, 300)
    bucket.take("customer-1")
    for _ in range(50):
        taken(bucket)
    time.sleep(0.21)
    bucket.take("customer-1")


def test_each_record_of_each_tenant_has_its_own(redis: Redis) -> None:
    assert taken(buckets(redis, 1, SLOW), "customer-1")
    assert taken(buckets(redis, 1, SLOW), "customer-2")
    assert taken(buckets(redis, 1, SLOW, tenant="other"), "customer-1")
    assert not taken(buckets(redis, 1, SLOW), "customer-1")


def test_a_bucket_that_is_full_again_is_forgotten(redis: Redis) -> None:
    bucket = buckets(redis, 3, 60)
    bucket.take("customer-1")
    bucket.take("customer-1")
    (name,) = redis.keys("gw:record:*")
    assert 0 < int(redis.pttl(name)) <= 2_000
    wait_until(lambda: not redis.keys("gw:record:*"), 20, "it is forgotten")
