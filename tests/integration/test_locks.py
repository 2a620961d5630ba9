"""Locks on a real Redis: held by the lease of a message's claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tasks.errors import Postponed
from tests.support.claiming import Claimant, let_leases_end, message, put, terms
from tests.support.waiting import wait_until
from workers.remembering.locks import BUSY_WAIT, Locks
from workers.store import Store
from workers.transport.claims import Claimed

CONTACT = "contact:c-1"


@pytest.fixture
def locks(redis: Redis) -> Locks:
    return Locks(store=Store(redis=redis), lease=30)


@pytest.fixture
def worker(redis: Redis) -> Claimant:
    return Claimant(redis=redis, terms=(terms("merge"),))


def claimed(worker: Claimant) -> Claimed:
    put(worker.redis, "merge", message())
    return worker.claim()


def is_free(locks: Locks, resource: str, tag: str = "") -> bool:
    try:
        with locks.held("default", [resource], tag):
            return True
    except Postponed:
        return False


def test_a_busy_resource_is_not_waited_for(locks: Locks) -> None:
    with (
        locks.held("default", [CONTACT]),
        pytest.raises(Postponed, match="contact is in use") as busy,
        locks.held("default", [CONTACT]),
    ):
        pytest.fail("it was held twice")
    assert busy.value.wait == BUSY_WAIT
    assert is_free(locks, CONTACT)


def test_tenants_share_no_resources(locks: Locks) -> None:
    with locks.held("default", [CONTACT]), locks.held("acme", [CONTACT]):
        pass


def test_a_lock_is_released_when_its_block_fails(locks: Locks) -> None:
    with pytest.raises(ZeroDivisionError), locks.held("default", [CONTACT]):
        raise ZeroDivisionError
    assert is_free(locks, CONTACT)


def test_a_message_holds_its_lock_for_as_long_as_its_lease(
    locks: Locks, worker: Claimant, redis: Redis
) -> None:
    first, second = claimed(worker), claimed(worker)
    with locks.held("default", [CONTACT], first.tag):
        assert not is_free(locks, CONTACT, second.tag)
        assert not is_free(locks, CONTACT)
        redis.zadd("gw:leases", {first.tag: 1})
        assert is_free(locks, CONTACT, second.tag)


def test_the_lock_of_a_message_that_has_ended_is_taken(locks: Locks, worker: Claimant) -> None:
    first, second = claimed(worker), claimed(worker)
    with locks.held("default", [CONTACT], first.tag):
        worker.end(first)
        assert is_free(locks, CONTACT, second.tag)


def test_the_next_claim_of_a_message_takes_over_the_lock_of_its_last(
    locks: Locks, worker: Claimant, redis: Redis
) -> None:
    first = claimed(worker)
    with locks.held("default", [CONTACT], first.tag):
        let_leases_end(redis, first)
        assert is_free(locks, CONTACT, worker.claim().tag)


def test_a_lock_is_released_only_by_its_holder(
    locks: Locks, worker: Claimant, redis: Redis
) -> None:
    first, second = claimed(worker), claimed(worker)
    dead = locks.held("default", [CONTACT], first.tag)
    dead.__enter__()
    worker.end(first)
    with locks.held("default", [CONTACT], second.tag):
        dead.__exit__(None, None, None)
        assert not is_free(locks, CONTACT)
    assert not redis.keys("gw:lock:*")


def test_a_lock_under_no_lease_ends_by_itself(locks: Locks, redis: Redis) -> None:
    held = locks.held("default", [CONTACT])
    held.__enter__()
    assert 20_000 < redis.pttl(f"gw:lock:default:{CONTACT}") <= 30_000
    redis.pexpire(f"gw:lock:default:{CONTACT}", 1)
    wait_until(lambda: is_free(locks, CONTACT), 10, "it has ended")
    held.__exit__(None, None, None)


def test_several_resources_are_taken_all_or_none(locks: Locks, redis: Redis) -> None:
    with locks.held("default", ["b:1"]):
        with pytest.raises(Postponed), locks.held("default", ["c:1", "a:1", "b:1"]):
            pytest.fail("b was held twice")
        assert redis.keys("gw:lock:*") == [b"gw:lock:default:b:1"]


def test_a_resource_named_twice_is_taken_once(locks: Locks) -> None:
    with locks.held("default", [CONTACT, CONTACT]):
        assert not is_free(locks, CONTACT)


def test_whoever_wants_the_same_resources_in_any_order_never_holds_them_together(
    locks: Locks,
) -> None:
    inside, worst, got = [0], [0], [0]

    def want(number: int) -> None:
        for _ in range(30):
            try:
                with locks.held("default", ["a:1", "b:1"][:: 1 if number % 2 else -1]):
                    inside[0] += 1
                    worst[0] = max(worst[0], inside[0])
                    got[0] += 1
                    inside[0] -= 1
            except Postponed:
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(want, range(4)))
    assert worst == [1]
    assert got[0] > 0


def test_the_holder_keeps_its_lock_through_the_grace_after_an_outage(
    locks: Locks, worker: Claimant, redis: Redis
) -> None:
    """Nobody could renew while Redis was away."""
    first, second = claimed(worker), claimed(worker)
    with locks.held("default", [CONTACT], first.tag):
        redis.zadd("gw:leases", {first.tag: 1})
        redis.set("gw:pulse", 1)
        worker.waits()
        assert not is_free(locks, CONTACT, second.tag)
