"""What a dry run says of messages is what putting them comes to, by `send_once.lua` itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.integration.bridge.test_newness import CASES
from tests.support.occurring import wanted
from workers.bridge.judging.matching import Wanted
from workers.bridge.publishing.foreseen import Foreseeing
from workers.bridge.publishing.once import Once, Put
from workers.sending.outbox import Outbox
from workers.sending.producer import Producer
from workers.store import Store

in_examples = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def once(redis: Redis, redis_url: str) -> Once:
    outbox = Outbox(app=Producer(redis_url).app, store=Store(redis=redis), keep=3600)
    return Once(outbox=outbox)


def made(steps: Sequence[tuple[str, int]]) -> list[Wanted]:
    return [wanted(value and f"values:{value}", at) for value, at in steps]


def foresee(once: Once, *batches: Sequence[Wanted]) -> list[Put]:
    """Return what one dry run says of batches."""
    foreseeing = Foreseeing(once.outbox.store)

    async def put() -> list[Put]:
        return [answer for batch in batches for answer in await foreseeing.put(batch)]

    return asyncio.run(put())


def content(redis: Redis) -> dict[bytes, Any]:
    """Return everything that Redis holds."""
    keys: Any = redis.keys("*")
    return {key: redis.dump(key) for key in keys}


@pytest.mark.parametrize("known", [0, 1, 2])
@pytest.mark.parametrize("case", CASES)
def test_newness_is_foreseen(once: Once, case: str, known: int) -> None:
    steps = made([(value, at) for value, at, _ in CASES[case]])
    once.put(steps[:known])
    assert foresee(once, steps[known:]) == once.put(steps[known:])


@in_examples
@given(
    told=st.lists(st.tuples(st.sampled_from(["", *"abc"]), st.integers(0, 6)), max_size=12),
    known=st.integers(0, 12),
    parts=st.integers(1, 4),
    forgotten=st.booleans(),
)
def test_any_order_is_foreseen_and_nothing_is_changed(
    once: Once,
    redis: Redis,
    told: list[tuple[str, int]],
    known: int,
    parts: int,
    forgotten: bool,
) -> None:
    redis.flushdb()
    steps = made(told)
    once.put(steps[:known])
    if forgotten and (names := redis.keys("gw:occurrence:*")):
        redis.delete(*names)
    before, rest = content(redis), steps[known:]
    said = foresee(once, *(rest[at : at + parts] for at in range(0, len(rest), parts)))
    assert content(redis) == before
    assert said == [answer for each in rest for answer in once.put([each])]
