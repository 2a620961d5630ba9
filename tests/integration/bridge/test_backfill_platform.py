"""Gaps of a tenant on the `platform` contract are filled, from the sandbox onto a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, exceptions
from structlog.testing import capture_logs

from tasks.apis.moments import iso
from tasks.errors import BrokerAway
from tests.support.backfilling import Site, Slept, now, site
from tests.support.chat_conversations import conversation
from tests.support.cluster import Cluster
from tests.support.tenants import platform_tenant
from workers.bridge.backfilling.backfill import PERIOD
from workers.bridge.backfilling.patience import STEP
from workers.bridge.intake import Taken
from workers.bridge.judging.rules import OLDEST, load
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.reading.events import Event
from workers.bridge.state.gaps import Gap, Gaps
from workers.sandbox.testing import SandboxHandle

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=each) for each in (1, 60, 3_600, 86_400))
QUERY = "/api/v2/analytics/conversations/details/query"
CONVERSATION = "/api/v2/conversations/{conversationId}"

Make = Callable[..., Site]


@pytest.fixture
def make(cluster: Cluster) -> Iterator[Make]:
    """Makes a site whose tenant hears the sandbox's queue; options are of its bridge's table."""
    made: list[Site] = []

    def make(tenant: dict[str, Any] | None = None, **bridge: Any) -> Site:
        heard = {"queues": [cluster.sandbox.queue_id()], "settle_seconds": 0.0, **bridge}
        changes = {"sync": None, "requests_per_minute": 300, **(tenant or {})}
        table = platform_tenant(cluster.sandbox, bridge=heard, **changes)
        made.append(site(cluster, table))
        return made[-1]

    yield make
    for each in made:
        each.services.close()


@pytest.fixture
def everything(make: Make, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose tenant hears by EventBridge too, and so of the whole organisation."""
    return make_everything(make, monkeypatch)


def make_everything(make: Make, monkeypatch: pytest.MonkeyPatch, **bridge: Any) -> Site:
    monkeypatch.setenv("BRIDGE_TEST_SECRET", "a secret of some length")
    return make(secret_env="BRIDGE_TEST_SECRET", **bridge)


def put(sandbox: SandboxHandle, **conversations: dict[str, Any]) -> None:
    sandbox.put_many("platformConversations", conversations)


class Failing:
    """An intake that fails after so many batches, with an error of its own."""

    def __init__(self, intake: Any, batches: int, error: BaseException) -> None:
        self._intake = intake
        self._left = batches
        self._error = error

    async def take(self, tenant: str, events: Sequence[Event]) -> Taken:
        self._left -= 1
        if self._left < 0:
            raise self._error
        taken: Taken = await self._intake.take(tenant, events)
        return taken


# What is found


def test_what_ended_in_a_gap_is_redacted_once(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(), now()
    put(
        sandbox,
        begun_days_before=conversation(at - 3 * DAY, ended=at - 30 * MINUTE),
        ended_before=conversation(at - 3 * DAY, ended=at - 2 * HOUR),
        customer_left=conversation(at - 2 * HOUR, left=at - 30 * MINUTE),
        left_before=conversation(at - 3 * HOUR, left=at - 2 * HOUR, ended=at - 30 * MINUTE),
        goes_on=conversation(at - 2 * HOUR),
        voice=conversation(at - 2 * HOUR, ended=at - 30 * MINUTE, media="calls"),
    )
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    site.fill()
    assert site.redacted() == {"begun_days_before": 1, "customer_left": 1}
    assert site.gaps.waiting() == []
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    site.fill()
    assert site.redacted() == {"begun_days_before": 1, "customer_left": 1}


def test_the_margin_reaches_over_both_ends(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(margin_seconds=60.0), now()
    put(
        sandbox,
        earlier=conversation(at - DAY, ended=at - 40 * MINUTE - 59 * SECOND),
        too_early=conversation(at - DAY, ended=at - 40 * MINUTE - 61 * SECOND),
        later=conversation(at - DAY, ended=at - 20 * MINUTE + 59 * SECOND),
        too_late=conversation(at - DAY, ended=at - 20 * MINUTE + 61 * SECOND),
    )
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    site.fill()
    assert site.redacted() == {"earlier": 1, "later": 1}


def test_a_gap_over_midnight_is_filled_and_so_is_more_than_a_page(
    make: Make, sandbox: SandboxHandle
) -> None:
    site = make()
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0) - DAY
    made = {
        f"c{at:03}": conversation(midnight - 2 * HOUR, ended=midnight + (at - 75) * 10 * SECOND)
        for at in range(150)
    }
    put(sandbox, **made)
    site.gap(midnight - HOUR, midnight + HOUR)
    site.fill()
    assert site.redacted() == dict.fromkeys(made, 1)


@pytest.mark.parametrize("order", ["live first", "backfill first"])
def test_live_copies_and_what_is_found_later_make_one_message(
    everything: Site, sandbox: SandboxHandle, order: str
) -> None:
    chats, before = [f"c{number}" for number in range(3)], now()
    put(sandbox, **{each: conversation(before - DAY) for each in chats})
    for each in chats:
        sandbox.end_conversation(each)
    heard, delivered = sandbox.events("detail"), sandbox.events("eventbridge")
    assert len(heard) == 9
    everything.gap(before, now())

    def live() -> None:
        everything.take(*heard)
        everything.take(*delivered, source="eventbridge")

    steps: list[Callable[[], object]] = [live, everything.fill]
    for step in steps if order == "live first" else reversed(steps):
        step()
        assert everything.redacted() == dict.fromkeys(chats, 1)
    assert [each.events for each in everything.gaps.filled()] == [6]


@pytest.mark.parametrize("names", ["customer-left", "customer-disconnected"])
def test_rules_that_know_one_of_the_two_events_recover_as_much(
    make: Make, sandbox: SandboxHandle, tmp_path: Path, names: str
) -> None:
    topic, subject, at = {
        "customer-left": (
            "v2.detail.events.conversation.{id}.customer.end",
            "conversationId",
            "eventTime",
        ),
        "customer-disconnected": (
            "v2.routing.queues.{id}.conversations.messages",
            "id",
            "max(participants[?state == 'disconnected'].endTime)",
        ),
    }[names]
    path = tmp_path / "rules.toml"
    path.write_text(
        f"""
        [[rule]]
        name = "{names}"
        topic = "{topic}"
        task = "redact_interaction"
        subject = "{subject}"
        occurrence = {{ at = "{at}" }}
        backfill = "every"
        arguments = {{ interaction_id = "{subject}" }}
        """
    )
    assert len(load(path)) == 1
    site, moment = make(rules=str(path)), now()
    put(sandbox, one=conversation(moment - DAY, ended=moment - 30 * MINUTE))
    site.gap(moment - 40 * MINUTE, moment - 20 * MINUTE)
    site.fill()
    assert site.redacted() == {"one": 1}


def test_what_could_not_have_been_heard_is_not_recovered(
    make: Make, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, span = now(), (now() - 40 * MINUTE, now() - 20 * MINUTE)
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    put(sandbox, other=conversation(at - DAY, ended=at - 30 * MINUTE))
    deaf = make(queues=["another-queue"])
    deaf.gap(*span)
    deaf.fill()
    assert (deaf.redacted(), deaf.gaps.waiting()) == ({}, [])
    named = make(queues=["another-queue"], conversations=["one"])
    named.gap(*span)
    named.fill()
    assert named.redacted() == {"one": 1}
    hears_all = make_everything(make, monkeypatch, queues=["another-queue"])
    hears_all.gap(*span)
    hears_all.fill()
    assert hears_all.redacted() == {"one": 1, "other": 1}


def test_where_no_rule_recovers_anything_nothing_is_asked(
    make: Make, sandbox: SandboxHandle, tmp_path: Path
) -> None:
    shipped = Path("workers/bridge/judging/default_rules.toml").read_text("utf-8")
    path = tmp_path / "rules.toml"
    path.write_text(
        shipped.replace('backfill = "every"', 'backfill = "nothing"').replace(
            'backfill = "latest"', 'backfill = "nothing"'
        )
    )
    site = make(rules=str(path))
    site.gap(now() - HOUR, now())
    site.fill()
    assert site.gaps.waiting() == []
    assert sandbox.journal(system="platform") == []


# Attributes


def test_attributes_are_recovered_as_of_the_end_of_the_gap(
    everything: Site, sandbox: SandboxHandle
) -> None:
    at = now()
    gold = {"tier": "gold"}
    put(
        sandbox,
        goes_on=conversation(at - DAY, contact="contact-1", attributes=gold),
        ended=conversation(at - DAY, ended=at - 30 * MINUTE, contact="contact-2", attributes=gold),
        anonymous=conversation(at - DAY, attributes=gold),
        without=conversation(at - DAY, contact="contact-3"),
        ended_before=conversation(
            at - DAY, ended=at - 2 * HOUR, contact="contact-4", attributes=gold
        ),
    )
    everything.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    everything.fill()
    synced = everything.messages("sync")
    assert sorted(each["contact_id"] for each in synced) == ["contact-1", "contact-2"]
    end = datetime.fromisoformat(synced[0]["occurred_at"])
    assert end == at - 20 * MINUTE
    read = {each["path"].rpartition("/")[2] for each in sandbox.journal(route=CONVERSATION)}
    assert read == {"goes_on", "ended", "without"}


def test_what_was_heard_live_is_not_synced_again_and_is_never_older(
    everything: Site, sandbox: SandboxHandle
) -> None:
    at = now()
    put(sandbox, c=conversation(at - DAY, contact="contact-1", attributes={"tier": "silver"}))
    everything.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    held = sandbox.get("platformConversations", "c")
    held["participants"][0]["attributes"] = {"tier": "gold"}
    sandbox.put("platformConversations", "c", held)
    live = sandbox.events("detail", template="v2.detail.events.conversation.{id}.attributes")[-1:]
    assert [each["eventBody"]["attributes"] for each in live] == [{"tier": "gold"}]
    assert everything.take(*live).enqueued == 1
    everything.fill()
    assert len(everything.messages("sync")) == 1
    # What was read after the gap is what was heard then: it is still the newest.
    assert everything.take(*live).enqueued == 0


def test_attributes_are_read_once_for_a_gap_and_a_chat_that_is_gone_is_passed_over(
    make: Make, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, at = make_everything(make, monkeypatch, settle_seconds=3_600.0), now()
    gold = {"tier": "gold"}
    put(
        sandbox,
        **{f"c{n}": conversation(at - DAY, contact=f"k{n}", attributes=gold) for n in (1, 2)},
    )
    sandbox.fault(kind="status", status=404, route=CONVERSATION, path="/api/v2/conversations/c1")
    site.gap(at - MINUTE, at)

    async def story() -> None:
        async with Publisher(site.services) as publisher:
            backfill = site.backfill(publisher)
            await backfill.fill()
            put(sandbox, c3=conversation(at - DAY, contact="k3", attributes=gold))
            site.gaps.store.redis.ping()
            later(backfill, 3_601)
            await backfill.fill()

    asyncio.run(story())
    assert sorted(each["contact_id"] for each in site.messages("sync")) == ["k2", "k3"]
    assert len(sandbox.journal(route=CONVERSATION)) == 3
    assert site.gaps.waiting() == []


def later(backfill: Any, seconds: float) -> None:
    """Let that much time pass on the clock of a backfill."""
    object.__setattr__(backfill._gaps.store, "seconds", seconds)


# Twice, together, and until when


def test_what_searches_did_not_know_at_once_is_found_once_the_gap_has_settled(
    make: Make, sandbox: SandboxHandle
) -> None:
    site, at = make(settle_seconds=120.0), now()
    put(
        sandbox,
        known=conversation(at - DAY, ended=at - 10 * MINUTE),
        unknown=conversation(at - DAY, ended=at - 30 * SECOND),
    )
    sandbox.options(analytics_query_lag_seconds=60)
    site.gap(at - 20 * MINUTE, at)

    async def story() -> None:
        async with Publisher(site.services) as publisher:
            backfill = site.backfill(publisher)
            await backfill.fill()
            assert site.redacted() == {"known": 1}
            assert len(site.gaps.waiting()) == 1
            asked = len(sandbox.journal(route=QUERY))
            await backfill.fill()
            assert len(sandbox.journal(route=QUERY)) == asked, "it is not searched meanwhile"
            sandbox.options(analytics_query_lag_seconds=0)
            later(backfill, 121)
            await backfill.fill()

    with capture_logs() as logged:
        asyncio.run(story())
    assert site.redacted() == {"known": 1, "unknown": 1}
    (filled,) = site.gaps.filled()
    assert (filled.events, filled.messages) == (4, 2)
    (closed,) = [each for each in logged if each["event"] == "bridge.gap_closed"]
    assert (closed["tenant"], closed["reason"]) == ("default", "connection lost")
    assert (closed["start"], closed["end"]) == (iso(at - 20 * MINUTE), iso(at))
    assert (closed["events"], closed["messages"]) == (4, 2)
    assert site.metrics.snapshot("default")["counts"]["backfilled"] == 2


def test_gaps_that_overlap_are_searched_together(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    for shard in range(3):
        site.gap(at - (40 + shard) * MINUTE, at - 20 * MINUTE, f"shard {shard}")
    site.gap(at - 10 * HOUR, at - 9 * HOUR)
    site.fill()
    # Of each of two searches, one query for what goes on and one for what has ended.
    assert len(sandbox.journal(route=QUERY)) == 4
    assert len(site.gaps.filled()) == 4
    assert site.redacted() == {"one": 1}


def test_a_gap_that_is_older_than_any_rule_takes_is_given_up(
    make: Make, sandbox: SandboxHandle
) -> None:
    site, at = make(), now()
    site.gap(at - OLDEST - HOUR, at - OLDEST - MINUTE)
    with capture_logs() as logged:
        site.fill()
    assert site.gaps.waiting() == []
    assert "bridge.gap_given_up" in [each["event"] for each in logged]
    assert sandbox.journal(route=QUERY) == []


def test_it_runs_until_it_is_cancelled(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))

    async def story() -> None:
        async with asyncio.timeout(30), Publisher(site.services) as publisher:
            backfill = site.backfill(publisher)
            running = asyncio.create_task(backfill.run())
            gap = site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
            while [each.gap for each in site.gaps.filled()] != [gap]:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(story())
    assert site.redacted() == {"one": 1}


# What goes wrong


def test_a_missing_permission_is_told_and_leaves_the_gap_open(
    make: Make, sandbox: SandboxHandle
) -> None:
    site, at = make(), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    sandbox.put_client("platform-client", permissions=["conversation:communication:view"])
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    with capture_logs() as logged:
        site.fill()
    (told,) = [each for each in logged if each["event"] == "bridge.backfill_failed"]
    assert "analytics:conversationDetail:view" in told["error"]
    assert told["log_level"] == "warning"
    assert len(site.gaps.waiting()) == 1
    sandbox.put_client("platform-client", permissions=None)
    site.fill()
    assert site.redacted() == {"one": 1}
    assert site.gaps.waiting() == []


def test_what_fails_is_tried_again_less_and_less_often(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(), now()
    sandbox.fault(kind="status", system="platform", route=QUERY, status=500, times=3)
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)

    async def story() -> None:
        async with Publisher(site.services) as publisher:
            backfill = site.backfill(publisher)
            for _ in range(200):
                await asyncio.sleep(await backfill.fill() / 100)
                if not site.gaps.waiting():
                    return

    with capture_logs() as logged:
        asyncio.run(story())
    failed = [each for each in logged if each["event"] == "bridge.backfill_failed"]
    assert len(failed) == 3
    assert site.gaps.waiting() == []


def test_without_a_broker_the_gap_stays_open(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make(), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    site.fill(intake=Failing(None, 0, BrokerAway("the broker takes no messages")))
    assert (site.redacted(), len(site.gaps.waiting())) == ({}, 1)
    site.fill()
    assert (site.redacted(), site.gaps.waiting()) == ({"one": 1}, [])


def test_a_crash_in_the_middle_loses_nothing_and_repeats_nothing(
    everything: Site, sandbox: SandboxHandle
) -> None:
    site, at = everything, now()
    ended = {f"e{n}": conversation(at - DAY, ended=at - 30 * MINUTE) for n in range(120)}
    known = {
        f"k{n}": conversation(at - DAY, contact=f"c{n}", attributes={"tier": "gold"})
        for n in range(5)
    }
    put(sandbox, **ended, **known)
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)

    async def crash(batches: int) -> None:
        async with Publisher(site.services) as publisher:
            intake = Failing(site.intake(publisher), batches, asyncio.CancelledError())
            await site.backfill(publisher, intake=intake).fill()

    for batches in (1, 2, 4, 6):
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(crash(batches))
        assert len(site.gaps.waiting()) == 1
    site.fill()
    assert site.redacted() == dict.fromkeys(ended, 1)
    assert sorted(each["contact_id"] for each in site.messages("sync")) == [
        f"c{n}" for n in range(5)
    ]
    assert site.gaps.waiting() == []


def test_a_redis_that_is_away_is_told_once_and_waited_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, at = make(), now()
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    waiting, away = Gaps.waiting, [True, True, False]

    def look(gaps: Gaps) -> Sequence[Gap]:
        if away.pop(0):
            raise exceptions.ConnectionError
        return waiting(gaps)

    monkeypatch.setattr(Gaps, "waiting", look)

    async def story() -> list[float]:
        async with Publisher(site.services) as publisher:
            backfill = site.backfill(publisher)
            return [await backfill.fill() for _ in range(3)]

    with capture_logs() as logged:
        assert asyncio.run(story())[:2] == [PERIOD] * 2
    told = [each["event"] for each in logged]
    assert told == ["bridge.backfill_failed", "bridge.gap_closed"]
    assert logged[0]["error"] == "Redis is away"


# Budgets


def spend(redis: Redis, calls: int) -> None:
    window: dict[Any, Any] = {
        "window": "1",
        "spent": calls,
        "reserved": 0,
        "ends": round(time.time() * 1e3) + 60_000,
    }
    redis.hset("gw:budget:default:genesys", mapping=window)
    redis.pexpire("gw:budget:default:genesys", 60_000)


def test_a_fifth_of_the_budget_is_left_to_live_work(
    make: Make, sandbox: SandboxHandle, redis: Redis
) -> None:
    site, at = make({"requests_per_minute": 10}), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    asked: list[int] = []

    def window_ends() -> None:
        asked.append(len(sandbox.journal(route=QUERY)))
        redis.delete("gw:budget:default:genesys")

    site.sleep = slept = Slept(over=window_ends)
    spend(redis, 7)
    site.fill()
    assert asked == [1]
    assert slept.seconds == [STEP]
    assert site.redacted() == {"one": 1}


def test_a_budget_that_is_set_too_high_holds_nothing_up(make: Make, sandbox: SandboxHandle) -> None:
    site, at = make({"requests_per_minute": 1_000_000}), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    site.sleep = slept = Slept()
    site.fill()
    assert slept.seconds == []
    assert site.redacted() == {"one": 1}


def test_a_429_pauses_the_system_for_everybody_and_is_waited_for(
    make: Make, sandbox: SandboxHandle, redis: Redis
) -> None:
    site, at = make(), now()
    put(sandbox, one=conversation(at - DAY, ended=at - 30 * MINUTE))
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    sandbox.fault(kind="status", route=QUERY, status=429, headers={"Retry-After": "7"})
    paused: list[int] = []

    def pause_ends() -> None:
        paused.append(int(redis.pttl("gw:pause:default:genesys")))
        redis.delete("gw:pause:default:genesys")

    site.sleep = slept = Slept(over=pause_ends)
    site.fill()
    assert slept.seconds == [STEP]
    assert 5_000 < paused[0] <= 7_500
    assert site.redacted() == {"one": 1}


def test_a_pause_that_is_too_long_to_wait_for_leaves_the_gap_open_until_it_is_over(
    make: Make, sandbox: SandboxHandle
) -> None:
    site, at = make(), now()
    site.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    sandbox.fault(kind="status", route=QUERY, status=429, headers={"Retry-After": "600"})
    with capture_logs() as logged:
        site.fill()
    (told,) = [each for each in logged if each["event"] == "bridge.backfill_failed"]
    assert 590 < told["retry_in"] <= 600
    assert "is paused" in told["error"]
    assert len(site.gaps.waiting()) == 1
