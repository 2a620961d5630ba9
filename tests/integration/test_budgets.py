"""Rates and budgets on a real Redis, shared by all who ask."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fakeredis
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from redis import Redis

from tasks.apis.calls import Allowance
from tasks.errors import Postponed
from tests.support.claiming import (
    Claimant,
    budget,
    clock,
    fields,
    let_all_be_due,
    let_leases_end,
    message,
    put,
    terms,
)
from tests.support.waiting import wait_until
from workers.limits.admission import burst, cell
from workers.limits.budgets import DEADLINE, AttemptGate, Entry, SystemGate
from workers.store import Store
from workers.transport.claims import WINDOW_SECONDS, Claimed, message_key

NAME = "gw:budget:default:genesys"
PAUSE = "gw:pause:default:genesys"
LIMIT = 10


@pytest.fixture
def gate(redis: Redis) -> SystemGate:
    return SystemGate(
        store=Store(redis=redis), tenant="default", system="genesys", per_minute=LIMIT
    )


def worker(redis: Redis, queue: str = "merge", calls: int = 3, **options: Any) -> Claimant:
    terms_of = terms(queue, budget=budget(calls, LIMIT), **options)
    return Claimant(redis=redis, terms=(terms_of,))


def claimed(asking: Claimant) -> Claimed:
    put(asking.redis, asking.terms[0].queue, message())
    return asking.claim()


def counts(redis: Redis) -> tuple[int, int]:
    """Return the calls made or reserved, and those of them that are reserved."""
    found = fields(redis, NAME)
    return int(found.get("spent", 0)), int(found.get("reserved", 0))


def begin(gate: SystemGate, held: Claimed | None = None, expected: int = 1) -> AttemptGate:
    """Let an attempt of so many calls make its first one."""
    attempt = AttemptGate(gate, held.tag if held else "", expected)
    attempt.enter()
    return attempt


def let_the_window_end(redis: Redis) -> None:
    redis.delete(NAME)


# Rates


def started(asking: Claimant, seconds: float) -> list[float]:
    """Ask for so long and return when messages were claimed, by the clock of Redis."""
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        while isinstance(got := asking.ask(), Claimed):
            found.append(got.at)
            asking.end(got)
    return found


def worst_excess(moments: list[float], rate: float) -> float:
    """Return by how many messages the busiest of all windows went beyond the rate."""
    return max(
        last - first + 1 - rate * (moments[last] - moments[first])
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


@pytest.mark.parametrize("rate", [5.0, 50.0, 200.0])
def test_a_rate_is_never_exceeded_by_more_than_its_burst_and_is_used(
    redis: Redis, rate: float
) -> None:
    put(redis, "merge", *(message() for _ in range(round(rate * 4))))
    asking = Claimant(redis=redis, terms=(terms("merge", rate=rate),))
    moments: list[float] = []
    used_until, refusals, end = 0.0, 0, time.monotonic() + 2.5
    while time.monotonic() < end:
        before = clock(redis)
        if isinstance(got := asking.ask(), Claimed):
            moments.append(got.at)
            used_until = max(used_until, got.at) + 1 / rate
            asking.end(got)
        else:
            # However late it is asked, it refuses only what would be beyond the burst.
            assert before < used_until - (burst(rate) - 1) / rate + 0.001
            refusals += 1
            time.sleep(0.01)
    assert worst_excess(moments, rate) <= burst(rate) + 0.01
    assert len(moments) > burst(rate)
    assert refusals


def test_a_rate_holds_over_all_who_ask_as_fast_as_they_can(redis: Redis) -> None:
    put(redis, "merge", *(message() for _ in range(400)))
    asking = [
        Claimant(redis=redis, terms=(terms("merge", rate=100.0),), worker=f"w{number}")
        for number in range(3)
    ]
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda each: started(each, 1.0), asking)
    moments = sorted(moment for each in found for moment in each)
    assert worst_excess(moments, 100.0) <= burst(100.0) + 0.01


def test_a_charge_moves_the_cell_by_one_interval(redis: Redis) -> None:
    put(redis, "merge", *(message() for _ in range(5)))
    asking = Claimant(redis=redis, terms=(terms("merge", rate=0.01),))
    first, second = asking.drain()
    assert int(redis.get("gw:rate:merge") or 0) == round(first.at * 1e6) + 200_000_000
    assert 190_000 < redis.pttl("gw:rate:merge") <= 201_000
    assert second.at - first.at < 50


def test_queues_have_rates_of_their_own(redis: Redis) -> None:
    queues = ("merge", "merge.acme")
    for queue in queues:
        put(redis, queue, *(message() for _ in range(4)))
    asking = Claimant(redis=redis, terms=tuple(terms(queue, rate=0.01) for queue in queues))
    assert sorted(each.queue for each in asking.drain()) == ["merge"] * 2 + ["merge.acme"] * 2


@pytest.mark.parametrize("ending", ["put back", "lease over"])
def test_a_message_is_charged_once_however_often_it_runs(redis: Redis, ending: str) -> None:
    put(redis, "merge", message(), message())
    asking = Claimant(redis=redis, terms=(terms("merge", rate=0.001),))
    first, _ = asking.drain()
    for _ in range(3):
        if ending == "put back":
            asking.put_back(first)
        else:
            let_leases_end(redis, first)
        first = asking.claim()
    put(redis, "merge", message())
    asking.waits()


def test_a_delayed_message_is_charged_when_it_runs(redis: Redis) -> None:
    put(redis, "merge", *(message(eta="2999-01-01T00:00:00Z") for _ in range(5)))
    asking = Claimant(redis=redis, terms=(terms("merge", rate=0.001),))
    asking.waits()
    assert not redis.exists("gw:rate:merge")
    let_all_be_due(redis, "merge")
    assert len(asking.drain()) == 2


def test_an_operators_rate_goes_before_the_settings_until_it_is_reset(redis: Redis) -> None:
    put(redis, "merge", *(message() for _ in range(9)))
    asking = Claimant(redis=redis, terms=(terms("merge", rate=0.001),))
    assert len(asking.drain()) == 2
    redis.delete("gw:rate:merge")
    redis.hset("gw:rates", "queue:merge", json.dumps({**cell(40.0), "rate": 40.0}))
    assert len(asking.drain()) == 4
    redis.delete("gw:rate:merge")
    redis.hdel("gw:rates", "queue:merge")
    assert len(asking.drain()) == 2


def test_a_faster_rate_does_not_wait_for_what_a_slower_one_has_charged(redis: Redis) -> None:
    """Workers may be started with other settings."""
    put(redis, "merge", *(message() for _ in range(9)))
    assert len(Claimant(redis=redis, terms=(terms("merge", rate=1 / 3600),)).drain()) == 2
    faster = Claimant(redis=redis, terms=(terms("merge", rate=1000.0),))
    wait_until(lambda: isinstance(faster.ask(), Claimed), 20, "one is claimed at the new rate")


def test_the_messages_of_a_paused_tenant_wait_and_others_go_on(redis: Redis) -> None:
    queues = ("attributes.acme", "merge.acme", "merge")
    for queue in queues:
        put(redis, queue, message())
    redis.hset("gw:rates", "tenant:acme", "{}")
    asking = Claimant(redis=redis, terms=tuple(map(terms, queues)))
    assert [each.queue for each in asking.drain()] == ["merge"]
    assert set(fields(redis, "gw:heads")) == {"attributes.acme", "merge.acme"}
    redis.hdel("gw:rates", "tenant:acme")
    assert [each.queue for each in asking.drain()] == ["attributes.acme", "merge.acme"]
    assert not redis.exists("gw:heads")


# Budgets


def test_a_claim_reserves_the_usual_calls_and_each_call_uses_one_of_them(
    gate: SystemGate, redis: Redis
) -> None:
    held = claimed(worker(redis))
    assert counts(redis) == (3, 3)
    attempt = begin(gate, held)
    assert counts(redis) == (3, 2)
    for left in (1, 0):
        attempt.enter()
        assert counts(redis) == (3, left)
    attempt.enter()
    assert counts(redis) == (4, 0), "work that has begun is finished"


def test_the_first_call_reserves_the_rest_of_the_attempt(gate: SystemGate, redis: Redis) -> None:
    begin(gate, claimed(worker(redis)), expected=7)
    assert counts(redis) == (7, 6)


def test_what_begins_has_to_fit_and_what_has_begun_can_end(gate: SystemGate, redis: Redis) -> None:
    asking = worker(redis)
    first, second = claimed(asking), claimed(asking)
    attempt = begin(gate, first, expected=6)
    with pytest.raises(Postponed, match="genesys of default has spent its budget"):
        begin(gate, second, expected=6)
    assert counts(redis) == (9, 8), "a refusal reserves nothing and charges nothing"
    for _ in range(8):
        attempt.enter()
    assert counts(redis) == (12, 3)


@pytest.mark.parametrize("ending", ["end", "put back", "lease over"])
def test_calls_that_were_not_made_are_given_back(
    gate: SystemGate, redis: Redis, ending: str
) -> None:
    asking = worker(redis)
    held = claimed(asking)
    begin(gate, held, expected=5)
    if ending == "end":
        asking.end(held)
    elif ending == "put back":
        asking.put_back(held, 60)
    else:
        let_leases_end(redis, held)
        redis.hset("gw:rates", "tenant:default", "{}")
        asking.waits()
    assert counts(redis) == (1, 0)


def test_a_message_that_comes_back_reserves_anew(redis: Redis) -> None:
    asking = worker(redis)
    asking.put_back(claimed(asking))
    asking.claim()
    assert counts(redis) == (3, 3)


def test_a_budget_that_is_reserved_lets_no_more_be_claimed(redis: Redis) -> None:
    asking = worker(redis)
    put(redis, "merge", *(message() for _ in range(9)))
    held = asking.drain()
    assert len(held) == 3
    asking.end(held[0])
    assert len(asking.drain()) == 1


def test_a_budget_is_spent_by_all_together(gate: SystemGate, redis: Redis) -> None:
    def enter(_: int) -> float:
        try:
            begin(gate)
        except Postponed as spent:
            return spent.wait
        return 0.0

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(enter, range(40)))
    assert told.count(0.0) == LIMIT
    assert all(WINDOW_SECONDS - 10 < wait <= WINDOW_SECONDS for wait in told if wait)
    let_the_window_end(redis)
    begin(gate)


def test_work_that_is_larger_than_the_budget_has_a_window_of_its_own(
    gate: SystemGate, redis: Redis
) -> None:
    asking = worker(redis, calls=LIMIT)
    held = claimed(asking)
    large = begin(gate, held, expected=25)
    for _ in range(24):
        large.enter()
    assert counts(redis) == (25, 0)
    with pytest.raises(Postponed):
        begin(gate)


def test_what_is_reserved_in_an_older_window_is_no_part_of_the_next(
    gate: SystemGate, redis: Redis
) -> None:
    asking = worker(redis)
    old = claimed(asking)
    let_the_window_end(redis)
    young = claimed(asking)
    assert counts(redis) == (3, 3)
    begin(gate, old, expected=0)
    assert counts(redis) == (4, 3)
    asking.end(old)
    assert counts(redis) == (4, 3)
    asking.end(young)
    assert counts(redis) == (1, 0)


def test_a_late_call_of_a_lost_claim_takes_nothing_from_the_next_window(
    gate: SystemGate, redis: Redis
) -> None:
    asking = worker(redis)
    held = claimed(asking)
    redis.hset("gw:rates", "tenant:default", "{}")
    let_leases_end(redis, held)
    asking.waits()
    begin(gate, held, expected=4)
    let_the_window_end(redis)
    redis.delete("gw:rates")
    again = asking.claim()
    assert counts(redis) == (3, 3)
    asking.end(again)
    assert counts(redis) == (0, 0)


def test_a_window_begins_with_the_first_call_and_not_with_a_reservation(
    gate: SystemGate, redis: Redis
) -> None:
    held = claimed(worker(redis))
    redis.pexpire(NAME, 20_000)
    assert "ends" not in fields(redis, NAME)
    attempt = begin(gate, held)
    assert redis.pttl(NAME) > 55_000
    ends = int(fields(redis, NAME)["ends"])
    assert ends == pytest.approx((gate.store.now() + WINDOW_SECONDS) * 1000, abs=5_000)
    redis.pexpire(NAME, 20_000)
    attempt.enter()
    assert redis.pttl(NAME) <= 20_000
    assert int(fields(redis, NAME)["ends"]) == ends


@pytest.mark.parametrize(("remaining", "left"), [(3, 3), (9, 9), (100, 9), (None, 9), (0, 0)])
def test_the_server_can_lower_what_is_left_of_a_budget_and_never_raise_it(
    gate: SystemGate, remaining: int | None, left: int
) -> None:
    begin(gate).settle(Allowance(remaining=remaining))
    for _ in range(left):
        begin(gate)
    with pytest.raises(Postponed, match="genesys of default has spent its budget"):
        begin(gate)


def test_what_the_server_says_counts_besides_what_others_have_reserved(
    gate: SystemGate, redis: Redis
) -> None:
    claimed(worker(redis))
    begin(gate).settle(Allowance(remaining=5))
    assert counts(redis) == (8, 3)
    begin(gate)
    begin(gate)
    with pytest.raises(Postponed):
        begin(gate)


def test_what_the_server_said_of_an_older_window_is_no_longer_true(
    gate: SystemGate, redis: Redis
) -> None:
    attempt = begin(gate)
    let_the_window_end(redis)
    attempt.settle(Allowance(remaining=0))
    assert counts(redis) == (0, 0)
    begin(gate)
    attempt.settle(Allowance(remaining=0))
    assert counts(redis) == (1, 0)


@pytest.mark.parametrize(
    ("resets_in", "left"), [(20.0, 21), (59.0, 60), (None, 60), (0.0, 60), (3_600.0, 60)]
)
def test_our_window_ends_when_the_servers_does_if_it_says_so(
    gate: SystemGate, redis: Redis, resets_in: float | None, left: int
) -> None:
    begin(gate).settle(Allowance(remaining=9, resets_in=resets_in))
    with redis.pipeline(transaction=True) as at_once:
        at_once.pttl(NAME)
        at_once.hget(NAME, "ends")
        at_once.time()
        life, ends, (seconds, micros) = at_once.execute()
    assert left - 10 < life / 1000 <= left + 0.25
    assert abs(int(ends) - (seconds * 1000 + micros / 1000) - life) < 500
    assert counts(redis) == (1, 0)


def test_a_pause_holds_claims_and_calls_of_one_system_of_one_tenant(
    gate: SystemGate, redis: Redis
) -> None:
    held = claimed(worker(redis))
    begun = begin(gate, held)
    gate.pause(30, by_server=False)
    for attempt in (begun, AttemptGate(gate, "", 1)):
        with pytest.raises(Postponed, match="genesys of default is paused") as paused:
            attempt.enter()
        assert 25 < paused.value.wait <= 30
        assert paused.value.deadline == DEADLINE
    put(redis, "merge", message())
    worker(redis).waits()
    for tenant, system in (("default", "cxone"), ("acme", "genesys")):
        begin(SystemGate(store=gate.store, tenant=tenant, system=system, per_minute=LIMIT))
    other = terms("merge", budget=budget(1, LIMIT, system="cxone"))
    Claimant(redis=redis, terms=(other,)).claim()


def test_a_longer_pause_outlasts_a_shorter_one(gate: SystemGate, redis: Redis) -> None:
    gate.pause(30, by_server=True)
    gate.pause(1, by_server=True)
    assert redis.pttl(PAUSE) > 25_000
    gate.pause(60, by_server=False)
    assert redis.pttl(PAUSE) > 55_000


@pytest.mark.parametrize(("by_server", "left"), [(True, (0, 0)), (False, (3, 2))])
def test_only_the_servers_pause_begins_a_new_window(
    gate: SystemGate, redis: Redis, by_server: bool, left: tuple[int, int]
) -> None:
    asking = worker(redis)
    held = claimed(asking)
    begin(gate, held)
    gate.pause(30, by_server=by_server)
    assert counts(redis) == left
    redis.delete(PAUSE)
    asking.end(held)
    assert min(counts(redis)) >= 0


def test_batch_leaves_a_fifth_to_others_which_melts_to_the_windows_end(
    gate: SystemGate, redis: Redis
) -> None:
    batch = worker(redis, "redact", calls=1)
    put(redis, "redact", *(message() for _ in range(20)))
    assert len(batch.drain()) == 8
    live = worker(redis, "attributes", calls=1)
    put(redis, "attributes", *(message() for _ in range(20)))
    held = live.drain()
    assert len(held) == 2
    for each in held:
        live.end(each)
    redis.hset(NAME, "ends", round((gate.store.now() + WINDOW_SECONDS / 2) * 1000) - 500)
    assert len(batch.drain()) == 1
    redis.hset(NAME, "ends", round(gate.store.now() * 1000) - 1000)
    assert len(batch.drain()) == 1


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_batch_is_served_from_the_smallest_budget(redis: Redis, limit: int) -> None:
    put(redis, "redact", message())
    Claimant(redis=redis, terms=(terms("redact", budget=budget(limit, limit)),)).claim()


def test_a_message_that_calls_two_systems_waits_for_both(redis: Redis) -> None:
    both = (budget(1, LIMIT), budget(1, 1, system="cxone"))
    put(redis, "sync", message(), message())
    assert len(Claimant(redis=redis, terms=(terms("sync", budget=both),)).drain()) == 1
    assert counts(redis) == (1, 1)


def test_a_script_that_redis_forgot_is_loaded_again(gate: SystemGate, redis: Redis) -> None:
    begin(gate)
    redis.script_flush()
    begin(gate)
    assert counts(redis) == (2, 0)


class Accounts(RuleBasedStateMachine):
    """Any order of claims, calls and endings: the budget stays what was made and what is held."""

    held: Any = Bundle("held")
    client: Callable[[], Redis]

    def __init__(self) -> None:
        super().__init__()
        self.redis = type(self).client()
        self.redis.flushdb()
        self.asking = worker(self.redis)
        self.gate = SystemGate(
            store=Store(redis=self.redis), tenant="default", system="genesys", per_minute=LIMIT
        )
        self.made = 0
        self.entries: list[Entry] = []

    def teardown(self) -> None:
        self.redis.close()

    @rule(target=held)
    def claim(self) -> str:
        put(self.redis, "merge", message())
        got = self.asking.ask()
        return got.tag if isinstance(got, Claimed) else ""

    @rule(tag=held, expected=st.integers(0, 2 * LIMIT))
    def call(self, tag: str, expected: int) -> None:
        before = fields(self.redis, NAME).get("window")
        try:
            entry = self.gate.enter(tag, expected)
        except Postponed:
            return
        if entry.window != before:
            self.made = 0
        self.made += 1
        self.entries.append(entry)

    @rule(data=st.data(), remaining=st.integers(0, LIMIT))
    def settle(self, data: Any, remaining: int) -> None:
        if not self.entries:
            return
        entry = data.draw(st.sampled_from(self.entries))
        self.gate.settle(entry, Allowance(remaining=remaining))
        if fields(self.redis, NAME).get("window") == entry.window:
            self.made = max(self.made, LIMIT - remaining)

    @rule(tag=held)
    def end(self, tag: str) -> None:
        self.asking.claims.settle([("end", tag, None)])

    @rule(tag=held, wait=st.sampled_from([None, 0.0, 60.0]))
    def put_back(self, tag: str, wait: float | None) -> None:
        self.asking.claims.settle([("return", tag, wait)])

    @rule(tag=held)
    def die(self, tag: str) -> None:
        self.redis.zadd("gw:leases", {tag: 1}, xx=True)
        self.redis.delete("gw:pulse", "gw:grace")
        self.asking.ask(classes=0)

    @rule()
    def end_window(self) -> None:
        let_the_window_end(self.redis)
        self.made = 0

    @rule(by_server=st.booleans())
    def pause(self, by_server: bool) -> None:
        self.gate.pause(60, by_server=by_server)
        if by_server:
            self.made = 0

    @rule()
    def resume(self) -> None:
        self.redis.delete(PAUSE)

    @invariant()
    def the_budget_is_what_was_made_and_what_is_held(self) -> None:
        spent, reserved = counts(self.redis)
        assert reserved >= 0
        assert spent == self.made + reserved
        window = fields(self.redis, NAME).get("window")
        tags: Any = self.redis.zrange("gw:leases", 0, -1)
        hashes = [fields(self.redis, message_key(tag.decode())) for tag in tags]
        stored = sum(
            int(each["reserved:default:genesys"])
            for each in hashes
            if each.get("window:default:genesys") == window and "reserved:default:genesys" in each
        )
        assert stored == reserved, "what is reserved is reserved for messages that are held"


@pytest.mark.parametrize("where", ["redis", "fakeredis"])
def test_the_accounts_are_right_after_anything(where: str, redis_url: str) -> None:
    class Here(Accounts):
        @staticmethod
        def client() -> Redis:
            return Redis.from_url(redis_url) if where == "redis" else fakeredis.FakeRedis()

    examples, steps = (60, 40) if where == "redis" else (6, 15)
    Here.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None
    )
    Here.TestCase("runTest").runTest()
