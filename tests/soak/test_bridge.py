"""The bridge under load and under fire, for minutes: `make soak`."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.bridge_flood import GROWTH, flood
from tests.support.bridge_losses import STREAM, drop_at_random, kill_in_turn, losing
from tests.support.restartable_redis import restartable_redis

#: Seconds in which another bridge has to listen where one was killed.
TAKEOVER = 15


def test_a_hundred_thousand_events_at_two_thousand_a_second(redis_url: str, tmp_path: Path) -> None:
    """None is missing, no occurrence makes two messages, and nothing piles up in the bridge."""
    flooded = flood(redis_url, tmp_path, events=100_000, rate=2_000)

    print(f"{flooded.delivered / flooded.seconds:.0f} events a second, {flooded.report}")
    assert flooded.sent == flooded.expected
    assert flooded.report.lag is not None
    assert flooded.report.lag[1] < 1.0
    assert flooded.grown < GROWTH * 2**20


def test_a_socket_that_is_dropped_fifty_times(redis_url: str, tmp_path: Path) -> None:
    with losing(redis_url, tmp_path) as losses:
        drop_at_random(losses, drops=50)


def test_a_broker_that_is_away_for_half_a_minute(tmp_path: Path) -> None:
    with (
        restartable_redis(tmp_path) as server,
        losing(server.url, tmp_path) as losses,
        losses.site.running() as bridge,
    ):
        bridge.says("bridge.connected")
        losses.site.sandbox.start_stream(**STREAM)
        time.sleep(1)
        server.kill()
        time.sleep(30)
        server.start()
        bridge.says("(?s)broker away.*bridge.connected")
        losses.check()


def test_ten_bridges_are_killed_with_another_one_standing_by(
    redis_url: str, tmp_path: Path
) -> None:
    with losing(redis_url, tmp_path) as losses:
        waits = kill_in_turn(losses, kills=10)

    assert max(waits) < TAKEOVER
