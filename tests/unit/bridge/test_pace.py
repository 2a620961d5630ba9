"""When connections are tried: what fails together is one failure, and none is tried at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from workers.bridge.listening.pace import Pace
from workers.bridge.state.backoff import Backoff


@dataclass
class Failures:
    """A back-off in memory: what it was told, and for how long it lets wait."""

    told: list[float | None] = field(default_factory=list)
    wait: float = 0.0
    successes: int = 0

    def left(self) -> float:
        wait, self.wait = self.wait, 0.0
        return wait

    def failed(self, retry_after: float | None = None) -> float:
        self.told.append(retry_after)
        return 0.0

    def succeeded(self) -> None:
        self.successes += 1


def paced(
    story: Callable[[Pace], Awaitable[None]], apart: float = 0.0, wait: float = 0.0
) -> Failures:
    failures = Failures(wait=wait)
    pace = Pace(cast(Backoff, cast(Any, failures)), apart=apart, random=Random(7))
    asyncio.run(cast(Any, story(pace)))
    return failures


def test_what_began_before_a_failure_is_part_of_it() -> None:
    async def story(pace: Pace) -> None:
        began = [await pace.turn() for _ in range(3)]
        for each in began:
            await pace.failed(each)
        await pace.failed(await pace.turn())

    assert paced(story).told == [None, None]


def test_a_wait_that_is_asked_for_always_counts() -> None:
    async def story(pace: Pace) -> None:
        began = await pace.turn()
        await pace.failed(began)
        await pace.failed(began, 7.0)

    assert paced(story).told == [None, 7.0]


def test_success_is_passed_on() -> None:
    assert paced(Pace.succeeded).successes == 1


def test_turns_are_apart_and_after_what_is_to_be_waited_for() -> None:
    turns: list[float] = []

    async def turn(pace: Pace) -> None:
        turns.append(await pace.turn())

    async def story(pace: Pace) -> None:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(turn(pace) for _ in range(3)))
        assert turns[0] - began >= 0.1 + 0.025

    paced(story, apart=0.05, wait=0.1)
    first, second, third = turns
    assert second - first >= 0.025
    assert third - second >= 0.025
