"""Gaps are open until they have been filled, whoever does that and however often it dies."""

from __future__ import annotations

import pytest
from redis import Redis

from workers.bridge.state.gaps import KEPT, Filled, Gap, Gaps
from workers.store import Store


def gaps_of(redis: Redis, tenant: str = "acme") -> Gaps:
    return Gaps(store=Store(redis=redis), tenant=tenant)


@pytest.fixture
def gaps(redis: Redis) -> Gaps:
    return gaps_of(redis)


def close(gaps: Gaps, gap: Gap, events: int = 0) -> None:
    gaps.close(gap, events=events, messages=1, seconds=0.5)


def test_a_gap_is_open_for_every_process_until_it_is_closed(gaps: Gaps, redis: Redis) -> None:
    gap = gaps.open(10.25, 20.5, "silent")
    assert (gap.start, gap.end, gap.reason) == (10.25, 20.5, "silent")
    assert list(gaps_of(redis).waiting()) == [gap]
    assert list(gaps_of(redis, "other").waiting()) == []
    assert redis.ttl("gw:bridge:acme:gaps") == -1
    close(gaps_of(redis), gap)
    assert list(gaps.waiting()) == []


def test_open_gaps_come_in_the_order_of_time(gaps: Gaps) -> None:
    opened = [gaps.open(start, end, "") for start, end in [(30, 40), (10, 20), (10, 15), (20, 25)]]
    late, first, shorter, middle = opened
    assert list(gaps.waiting()) == [shorter, first, middle, late]


def test_two_gaps_of_one_span_are_two(gaps: Gaps) -> None:
    one, other = gaps.open(1, 2, "closed"), gaps.open(1, 2, "closed")
    close(gaps, one)
    assert list(gaps.waiting()) == [other]


def test_of_a_filled_gap_it_is_known_what_came_of_it(gaps: Gaps) -> None:
    gap = gaps.open(10, 20, "silent")
    before = gaps.store.now()
    gaps.close(gap, events=12, messages=3, seconds=1.5)
    (filled,) = gaps.filled()
    assert filled == Filled(gap=gap, at=filled.at, events=12, messages=3, seconds=1.5)
    assert before <= filled.at <= gaps.store.now()


def test_a_gap_that_two_have_filled_was_filled_once(gaps: Gaps, redis: Redis) -> None:
    gap = gaps.open(10, 20, "silent")
    close(gaps, gap, events=1)
    close(gaps_of(redis), gap, events=2)
    assert [filled.events for filled in gaps.filled()] == [1]


def test_the_last_ones_are_known_the_newest_first(gaps: Gaps) -> None:
    for number in range(KEPT + 5):
        close(gaps, gaps.open(number, number + 1, "closed"), events=number)
    assert [filled.events for filled in gaps.filled()] == list(range(KEPT + 4, 4, -1))
