"""A bridge is cut off, and killed: after backfills, exactly the expected messages are there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bridge_losses import STREAM, drop_at_random, kill_in_turn, losing
from tests.support.bridges import SECRET, url_of
from tests.support.restartable_redis import RestartableRedis, restartable_redis

#: Seconds in which another bridge has to listen where one was killed.
TAKEOVER = 15

#: Kills at most: others may keep the machine too busy for a bridge to connect in time.
ROUNDS = 3


def test_a_socket_that_is_dropped_again_and_again_loses_nothing(
    redis_url: str, tmp_path: Path
) -> None:
    with losing(redis_url, tmp_path) as losses:
        drop_at_random(losses, drops=6)


def test_a_killed_bridge_is_followed_by_the_one_that_stands_by(
    redis_url: str, tmp_path: Path
) -> None:
    waits: list[float] = []
    while len(waits) < ROUNDS and not any(wait < TAKEOVER for wait in waits):
        folder = tmp_path / f"round-{len(waits)}"
        folder.mkdir()
        with losing(redis_url, folder) as losses:
            waits += kill_in_turn(losses, kills=1)

    assert min(waits) < TAKEOVER


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[RestartableRedis]:
    with restartable_redis(tmp_path) as server:
        yield server


def test_a_broker_that_is_away_for_a_while_costs_no_event_of_either_source(
    durable: RestartableRedis, tmp_path: Path
) -> None:
    """The socket's gap is backfilled; the receiver answers 503, and EventBridge comes again."""
    with losing(durable.url, tmp_path) as losses, losses.site.running() as bridge:
        bridge.says("bridge.connected")
        target = f"{url_of(bridge)}/events/default"
        losses.site.sandbox.add_target(target, SECRET, contract="platform", longest_wait_seconds=1)
        losses.site.sandbox.start_stream(**STREAM)
        time.sleep(1)
        durable.kill()
        time.sleep(3)
        durable.start()
        bridge.says("(?s)broker_away.*bridge.connected")

        losses.check()

        (pushed,) = losses.site.sandbox.events_summary()["targets"]
        assert pushed["answers"].get("503"), "it was away for longer than nobody noticed"
        assert not pushed["givenUp"]
