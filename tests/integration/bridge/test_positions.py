"""Positions are kept in Redis, by tenant and shard."""

from __future__ import annotations

import pytest
from redis import Redis

from workers.bridge.state.positions import Positions
from workers.store import Store


@pytest.fixture
def positions(redis: Redis) -> Positions:
    return Positions(store=Store(redis=redis), tenant="acme")


def test_what_was_never_heard_has_no_position(positions: Positions) -> None:
    assert "0" not in positions.all()
    assert positions.all() == {}


def test_a_position_is_what_was_written_last_to_the_microsecond(positions: Positions) -> None:
    now = positions.store.now()
    positions.move("0", now + 5)
    positions.move("0", now)
    positions.move("1", 7)
    assert positions.all()["0"] == now
    assert positions.all() == {"0": now, "1": 7}


def test_it_outlives_the_process_and_belongs_to_its_tenant(
    positions: Positions, redis: Redis
) -> None:
    positions.move("0", 7)
    store = Store(redis=redis)
    assert Positions(store=store, tenant="acme").all() == {"0": 7}
    assert Positions(store=store, tenant="other").all() == {}
    assert redis.ttl("gw:bridge:acme:positions") == -1


def test_a_shard_that_is_gone_is_forgotten(positions: Positions) -> None:
    positions.move("0", 7)
    positions.move("1", 8)
    positions.forget("1")
    positions.forget("never there")
    assert positions.all() == {"0": 7}
