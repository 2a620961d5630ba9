"""What happens by itself in the sandbox, and whom it keeps waiting."""

from __future__ import annotations

from workers.sandbox.testing import ManualClock
from workers.sandbox.timeline import STRETCH_SECONDS, Timeline


def test_actions_run_in_the_order_of_their_time_once_they_are_due() -> None:
    clock, ran = ManualClock(0), list[float]()
    timeline = Timeline(clock)
    for at in (3, 1, 2, 9):
        timeline.schedule(at, ran.append)
    clock.advance(5)
    assert timeline.advance() == 5
    assert ran == [1, 2, 3]


def test_a_clock_that_stands_still_lets_everything_run_that_is_due() -> None:
    clock, ran = ManualClock(0), list[float]()
    timeline = Timeline(clock)

    def tick(at: float) -> None:
        ran.append(at)
        timeline.schedule(at + 1, tick)

    timeline.schedule(0, tick)
    clock.advance(1_000)
    timeline.advance()
    assert len(ran) == 1_001


def test_actions_that_take_longer_than_their_time_give_way_to_others() -> None:
    clock, ran = ManualClock(0), list[float]()
    timeline = Timeline(clock)

    def tick(at: float) -> None:
        ran.append(at)
        clock.advance(STRETCH_SECONDS / 4)
        timeline.schedule(at + STRETCH_SECONDS / 8, tick)

    timeline.schedule(0, tick)
    clock.advance(10)
    for look in (1, 2):
        timeline.advance()
        assert 4 * look <= len(ran) <= 5 * look
