"""Leases: what ends with them in Redis, and the registry that keeps them through an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.errors import Postponed
from tests.support.claiming import (
    LONG_AGO,
    Claimant,
    budget,
    clock,
    due_at,
    fields,
    let_leases_end,
    message,
    put,
    sleep_until,
    terms,
)
from tests.support.restartable_redis import RestartableRedis, restartable_redis
from tests.support.waiting import wait_until
from workers.remembering.ledger import Ledger
from workers.store import Store
from workers.transport.claims import Claimed, delayed, message_key
from workers.transport.leases import Leases

SOON = 20


def claimant(redis: Redis, worker: str = "first", lease: float = 30.0) -> Claimant:
    return Claimant(redis=redis, terms=(terms("merge"),), worker=worker, lease=lease)


@pytest.fixture
def worker(redis: Redis) -> Claimant:
    return claimant(redis)


def claimed(asking: Claimant, *names: str) -> list[Claimed]:
    """Let messages with these ids be claimed."""
    put(asking.redis, "merge", *map(message, names))
    return [asking.claim() for _ in names]


# In Redis


def test_a_claim_is_leased_from_the_moment_it_was_made(redis: Redis) -> None:
    (held,) = claimed(claimant(redis, lease=2), "a")
    assert redis.zscore("gw:leases", held.tag) == pytest.approx((held.at + 2) * 1000, abs=1)
    assert fields(redis, message_key(held.tag))["worker"] == "first"


def test_a_message_comes_back_when_its_lease_has_ended_and_comes_first(redis: Redis) -> None:
    asking = claimant(redis, lease=0.2)
    (held,) = claimed(asking, "a")
    put(redis, "merge", message("b"))
    other = claimant(redis, worker="other", lease=30)
    sleep_until(redis, held.at + 0.21)
    redis.delete("gw:pulse")
    again = other.claim()
    assert (again.raw, again.runs) == (held.raw, 2)
    assert again.tag != held.tag


def test_a_renewed_lease_does_not_end(redis: Redis) -> None:
    asking = claimant(redis, lease=0.3)
    (held,) = claimed(asking, "a")
    for _ in range(6):
        time.sleep(0.1)
        assert asking.claims.renew("first", 0.3, "{}", [held.tag]) == []
        asking.waits()
    assert redis.zcard("gw:leases") == 1


def test_a_lease_that_has_ended_is_not_renewed_and_the_worker_is_told(
    redis: Redis, worker: Claimant
) -> None:
    first, second = claimed(worker, "a", "b")
    let_leases_end(redis, first)
    again = claimant(redis, worker="other").claim()
    assert worker.claims.renew("first", 30, "{}", [first.tag, second.tag]) == [first.tag]
    assert set(redis.zrange("gw:leases", 0, -1)) == {second.tag.encode(), again.tag.encode()}


@pytest.mark.parametrize("wait", [None, 0.0, 60.0])
@pytest.mark.parametrize("verb", ["end", "return"])
def test_what_becomes_of_a_lost_claim_does_nothing_to_the_next_holder(
    redis: Redis, worker: Claimant, verb: Any, wait: float | None
) -> None:
    (lost,) = claimed(worker, "a")
    let_leases_end(redis, lost)
    again = claimant(redis, worker="other").claim()
    worker.claims.settle([(verb, lost.tag, wait)])
    worker.claims.route(lost.tag, "sync")
    assert redis.zrange("gw:leases", 0, -1) == [again.tag.encode()]
    assert redis.hget(message_key(again.tag), "raw") == again.raw
    assert not redis.exists(delayed("merge"), "sync")


def test_what_becomes_of_a_lost_claim_leaves_a_message_alone_that_waits(
    redis: Redis, worker: Claimant
) -> None:
    (lost,) = claimed(worker, "a")
    let_leases_end(redis, lost)
    worker.waits(classes=0)
    assert due_at(redis, "merge") == [pytest.approx(0, abs=1)]
    worker.end(lost)
    assert worker.claim().raw == lost.raw


def test_a_thousand_leases_that_end_at_once_come_back_a_hundred_at_a_time(
    redis: Redis, worker: Claimant
) -> None:
    held = claimed(worker, *map(str, range(250)))
    let_leases_end(redis, *held)
    for left in (150, 50, 0):
        redis.delete("gw:pulse")
        worker.ask(classes=0)
        assert redis.zcard("gw:leases") == left


def test_a_message_that_is_put_back_waits_as_long_as_it_was_told(
    redis: Redis, worker: Claimant
) -> None:
    (held,) = claimed(worker, "a")
    worker.put_back(held, 60.5)
    assert due_at(redis, "merge") == [pytest.approx(clock(redis) + 60.5, abs=5)]
    assert not redis.exists("gw:leases")
    worker.waits()


# Outages of Redis, by the scripts


def after_an_outage(redis: Redis, *held: Claimed) -> None:
    """Let it be just after an outage that was longer than a lease."""
    for each in held:
        redis.zadd("gw:leases", {each.tag: LONG_AGO})
    redis.set("gw:pulse", LONG_AGO)


def test_nothing_is_restored_until_all_could_renew_after_an_outage(
    redis: Redis, worker: Claimant
) -> None:
    (held,) = claimed(worker, "a")
    after_an_outage(redis, held)
    worker.waits()
    assert 0 < redis.pttl("gw:grace") <= 30_000
    redis.set("gw:pulse", round(clock(redis) * 1000) - 100)
    worker.waits()
    assert worker.claims.renew("first", 30, "{}", [held.tag]) == []
    redis.delete("gw:pulse", "gw:grace")
    worker.waits()


def test_whoever_renews_first_after_an_outage_takes_no_message_from_the_others(
    redis: Redis, worker: Claimant
) -> None:
    mine, theirs = claimed(worker, "mine", "theirs")
    after_an_outage(redis, mine, theirs)
    worker.claims.renew("first", 30, "{}", [mine.tag])
    redis.set("gw:pulse", round(clock(redis) * 1000) - 100)
    worker.waits()
    assert worker.claims.renew("other", 30, "{}", [theirs.tag]) == []


def test_short_silences_between_renewals_are_no_outage(redis: Redis) -> None:
    asking = claimant(redis, lease=30)
    redis.set("gw:pulse", round(clock(redis) * 1000) - 10_000)
    asking.waits()
    assert not redis.exists("gw:grace")


def test_a_grace_ends_and_then_leases_count_again(redis: Redis) -> None:
    asking = claimant(redis, lease=0.2)
    (held,) = claimed(asking, "a")
    after_an_outage(redis, held)
    asking.waits()
    wait_until(lambda: isinstance(asking.ask(), Claimed), SOON, "the message comes back")


# The ledger beside the lease


def ledger_claim(redis: Redis, held: Claimed, owner: str) -> Any:
    ledger = Ledger(store=Store(redis=redis), lease=30, keep=60)
    return ledger.claim("default", "op-1", owner, "print", "m-1", held.tag)


def test_a_message_counts_as_started_from_its_operation_on(redis: Redis, worker: Claimant) -> None:
    (held,) = claimed(worker, "a")
    assert "started" not in fields(redis, message_key(held.tag))
    ledger_claim(redis, held, "owner")
    let_leases_end(redis, held)
    again = worker.claim()
    found = fields(redis, message_key(again.tag))
    assert (found["kills"], "started" in found) == ("1", False)


def test_a_run_whose_claim_was_lost_before_it_began_does_not_begin(
    redis: Redis, worker: Claimant
) -> None:
    """Such as on a machine that was suspended: another worker carries the message out."""
    (lost,) = claimed(worker, "a")
    let_leases_end(redis, lost)
    worker.claim()
    with pytest.raises(Postponed):
        ledger_claim(redis, lost, "late")


def test_the_next_claim_of_a_message_takes_its_operation_over(
    redis: Redis, worker: Claimant
) -> None:
    (lost,) = claimed(worker, "a")
    ledger_claim(redis, lost, "first")
    let_leases_end(redis, lost)
    again = worker.claim()
    assert ledger_claim(redis, again, "second").attempts == 2


def test_a_duplicate_waits_while_the_holders_lease_lasts(redis: Redis, worker: Claimant) -> None:
    first, second = claimed(worker, "a", "b")
    ledger_claim(redis, first, "first")
    with pytest.raises(Postponed):
        ledger_claim(redis, second, "second")
    worker.end(first)
    assert ledger_claim(redis, second, "second").attempts == 2


# The registry


@pytest.fixture
def leases(worker: Claimant) -> Iterator[Leases]:
    made = Leases(claims=worker.claims, worker="first", lease=1.0)
    yield made
    made.close()


def scores(redis: Redis) -> dict[str, float]:
    found: Any = redis.zrange("gw:leases", 0, -1, withscores=True)
    return {tag.decode(): score for tag, score in found}


def test_the_registry_renews_what_it_holds(redis: Redis, worker: Claimant, leases: Leases) -> None:
    (held,) = claimed(worker, "a")
    before = scores(redis)[held.tag]
    leases.hold(held.tag)
    wait_until(lambda: held.at * 1000 < scores(redis)[held.tag] < before, SOON, "a lease of 1 s")
    first = scores(redis)[held.tag]
    wait_until(lambda: scores(redis)[held.tag] > first, SOON, "another renewal")
    assert len(leases) == 1


def test_the_registry_tells_of_the_worker_before_it_has_claimed_anything(
    redis: Redis, leases: Leases
) -> None:
    leases.about["slots"] = 8
    leases.begin()
    wait_until(lambda: redis.zscore("gw:alive", "first"), SOON, "the worker is known")
    assert fields(redis, "gw:workers")["first"] == '{"slots": 8, "held": 0}'


def test_a_slot_is_free_at_once_and_redis_is_told_soon(
    redis: Redis, worker: Claimant, leases: Leases
) -> None:
    freed: list[int] = []
    leases.on_free = lambda: freed.append(len(leases))
    first, second = claimed(worker, "a", "b")
    leases.hold(first.tag)
    leases.hold(second.tag)
    leases.end(first.tag)
    assert freed == [1]
    leases.put_back(second.tag, 60)
    assert freed == [1, 0]
    wait_until(lambda: not redis.exists("gw:leases"), SOON, "both are settled")
    assert not redis.exists(message_key(first.tag))
    assert len(due_at(redis, "merge")) == 1


def test_a_claim_is_settled_once_and_only_if_it_is_held(
    redis: Redis, worker: Claimant, leases: Leases
) -> None:
    freed: list[None] = []
    leases.on_free = lambda: freed.append(None)
    (held,) = claimed(worker, "a")
    leases.end(held.tag)
    assert freed == []
    leases.hold(held.tag)
    leases.put_back(held.tag, 60)
    leases.end(held.tag)
    assert len(freed) == 1
    wait_until(lambda: due_at(redis, "merge"), SOON, "the first settlement")


def test_only_what_has_not_started_is_returned(
    redis: Redis, worker: Claimant, leases: Leases
) -> None:
    started, waiting = claimed(worker, "started", "waiting")
    for each in (started, waiting):
        leases.hold(each.tag)
    leases.started(started.tag)
    leases.started("unknown")
    leases.return_unstarted()
    wait_until(lambda: redis.zcard(delayed("merge")) == 1, SOON, "one is put back")
    assert set(scores(redis)) == {started.tag}
    # With a lease like theirs: a silence in which one of them ends is an outage to it.
    assert claimant(redis, worker="other", lease=1.0).claim().raw == waiting.raw


def test_closing_settles_what_has_ended(redis: Redis, worker: Claimant, leases: Leases) -> None:
    held = claimed(worker, *"abcdef")
    for each in held:
        leases.hold(each.tag)
    for each in held:
        leases.end(each.tag)
    leases.close()
    assert not redis.exists("gw:leases")


def test_closing_what_never_began_is_nothing(leases: Leases) -> None:
    leases.close()


def test_settlements_from_many_threads_are_all_made(
    redis: Redis, worker: Claimant, leases: Leases
) -> None:
    held = claimed(worker, *map(str, range(200)))
    for each in held:
        leases.hold(each.tag)

    def settle(part: list[Claimed]) -> None:
        for each in part:
            leases.end(each.tag)

    threads = [threading.Thread(target=settle, args=(held[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: not redis.exists("gw:leases"), SOON, "all are settled")
    assert len(leases) == 0


def test_a_refusal_of_redis_is_waited_out_like_an_outage(
    redis: Redis, worker: Claimant, leases: Leases
) -> None:
    """A server that has lost its replicas, or the room on its disk, refuses writes for a while."""
    first, second = claimed(worker, "a", "b")
    leases.hold(first.tag)
    leases.hold(second.tag)
    redis.config_set("min-replicas-to-write", 1)
    try:
        leases.end(first.tag)
        time.sleep(1.0)
    finally:
        redis.config_set("min-replicas-to-write", 0)
    wait_until(lambda: first.tag not in scores(redis), SOON, "the first one is settled")
    before = scores(redis)[second.tag]
    # It was claimed for much longer than it is renewed for.
    wait_until(lambda: scores(redis)[second.tag] != before, SOON, "the second one is renewed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestartableRedis]:
    with restartable_redis(tmp_path) as running:
        yield running


@pytest.mark.slow
def test_leases_outlive_an_outage_and_what_ended_meanwhile_is_settled(
    server: RestartableRedis,
) -> None:
    with Redis.from_url(server.url) as client:
        asking = claimant(client, lease=1.0)
        running, ended, returned = claimed(asking, "running", "ended", "returned")
        leases = Leases(claims=asking.claims, worker="first", lease=1.0)
        for each in (running, ended, returned):
            leases.hold(each.tag)
        server.kill()
        leases.end(ended.tag)
        leases.put_back(returned.tag, 60)
        assert len(leases) == 1
        time.sleep(1.5)
        server.start()
        wait_until(lambda: set(scores(client)) == {running.tag}, SOON, "both are settled")
        before = scores(client)[running.tag]
        for _ in range(10):
            asking.waits()
            time.sleep(0.2)
        assert scores(client)[running.tag] > before
        assert len(due_at(client, "merge")) == 1
        leases.close()


@pytest.mark.slow
def test_closing_during_an_outage_ends_and_the_lease_brings_the_message_back(
    server: RestartableRedis,
) -> None:
    with Redis.from_url(server.url) as client:
        asking = claimant(client, lease=1.0)
        (held,) = claimed(asking, "a")
        leases = Leases(claims=asking.claims, worker="first", lease=1.0)
        leases.hold(held.tag)
        server.kill()
        leases.put_back(held.tag)
        leases.close()
        server.start()
        wait_until(lambda: isinstance(asking.ask(), Claimed), SOON, "the message comes back")


def test_budgets_of_a_dead_worker_are_given_back(redis: Redis) -> None:
    queue = terms("merge", budget=budget(3, 10))
    asking = Claimant(redis=redis, terms=(queue,))
    put(redis, "merge", *(message() for _ in range(6)))
    held = asking.drain()
    assert len(held) == 3
    let_leases_end(redis, *held)
    assert len(asking.drain()) == 3
