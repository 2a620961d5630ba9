"""The script that claims, asked as workers ask it, on a real Redis and on fakeredis."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.support.claiming import (
    Claimant,
    budget,
    clock,
    die,
    due_at,
    fields,
    let_all_be_due,
    let_leases_end,
    message,
    put,
    sleep_until,
    terms,
)
from tests.support.raw_messages import raw
from tests.support.waiting import wait_until
from workers.limits.admission import Terms
from workers.limits.rates import DEFAULT_QUEUE
from workers.transport.claims import LARGEST, Claimed, delayed, message_key

FAR = "2999-01-01T00:00:00Z"


@pytest.fixture(params=["redis", "fakeredis"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """Every Redis that the project runs on."""
    if request.param == "redis":
        yield request.getfixturevalue("redis")
    else:
        with fakeredis.FakeRedis() as client:
            yield client


def claimant(redis: Redis, *queues: str | Terms, **options: Any) -> Claimant:
    """Return a worker that reads these queues, named in the order of their classes."""
    found = tuple(terms(each) if isinstance(each, str) else each for each in queues)
    return Claimant(redis=redis, terms=found, **options)


def name_of(claimed: Claimed) -> str:
    return str(json.loads(claimed.raw)["headers"]["id"])


def names(claims: list[Claimed]) -> list[str]:
    return [name_of(claimed) for claimed in claims]


# Order


def test_a_queue_is_first_in_first_out_within_a_priority_and_urgent_ones_go_first(
    anywhere: Redis,
) -> None:
    for priority in (9, 3, 0, 6):
        put(
            anywhere, "merge", message(f"{priority}-a"), message(f"{priority}-b"), priority=priority
        )
    expected = [f"{priority}-{each}" for priority in (0, 3, 6, 9) for each in "ab"]
    assert names(claimant(anywhere, "merge").drain()) == expected


def test_the_default_queue_is_read_like_any_other(anywhere: Redis) -> None:
    put(anywhere, DEFAULT_QUEUE, message("a"))
    claimed = claimant(anywhere, DEFAULT_QUEUE, "merge").claim()
    assert (claimed.queue, claimed.verdict, claimed.runs) == (DEFAULT_QUEUE, "", 1)


def test_live_messages_go_before_normal_ones_and_those_before_batch(anywhere: Redis) -> None:
    queues = ("attributes", "merge", "redact")
    for queue in reversed(queues):
        put(anywhere, queue, message(f"{queue}-1"), message(f"{queue}-2"))
    found = [claimed.queue for claimed in claimant(anywhere, *queues).drain()]
    assert found == ["attributes"] * 2 + ["merge"] * 2 + ["redact"] * 2


@pytest.mark.parametrize("classes", [0, 1, 2, 3])
def test_only_the_classes_asked_for_are_served(redis: Redis, classes: int) -> None:
    queues = ("attributes", "merge", "redact")
    for queue in queues:
        put(redis, queue, message())
    found = [claimed.queue for claimed in claimant(redis, *queues).drain(classes=classes)]
    assert found == list(queues[:classes])


def test_a_class_without_queues_is_passed_over(redis: Redis) -> None:
    put(redis, "redact", message("a"))
    assert names(claimant(redis, "redact").drain()) == ["a"]


def test_a_due_message_goes_before_the_list(anywhere: Redis) -> None:
    worker = claimant(anywhere, "merge")
    put(anywhere, "merge", message("returned"))
    held = worker.claim()
    put(anywhere, "merge", message("fresh"))
    worker.put_back(held, 0)
    assert names(worker.drain()) == ["returned", "fresh"]


def test_what_is_put_back_first_goes_before_what_is_merely_due(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", *(message(name) for name in ("due", "first")))
    due, first = worker.drain()
    worker.put_back(due, 0)
    worker.put_back(first)
    assert names(worker.drain()) == ["first", "due"]


def test_messages_that_are_put_back_first_keep_their_order(redis: Redis) -> None:
    """Tags are numbers; sorted as text, 10 would come before 9."""
    sent = [f"{number:02}" for number in range(1, 13)]
    worker = claimant(redis, "merge")
    put(redis, "merge", *map(message, sent))
    worker.claims.settle([("return", claimed.tag, None) for claimed in worker.drain()])
    assert names(worker.drain()) == sent


# Turns


def test_twenty_tenants_with_a_backlog_get_equal_shares(anywhere: Redis) -> None:
    tenants = [f"t{number}" for number in range(20)]
    for tenant in tenants:
        put(anywhere, f"merge.{tenant}", *(message() for _ in range(9)))
    worker = claimant(anywhere, *(f"merge.{tenant}" for tenant in tenants))
    served = [worker.claim().queue for _ in range(60)]
    assert Counter(served) == {f"merge.{tenant}": 3 for tenant in tenants}
    for start in range(0, 60, 20):
        assert len(set(served[start : start + 20])) == 20


def test_a_tenant_with_three_busy_queues_gets_no_more_than_one_with_one(anywhere: Redis) -> None:
    queues = ("merge.wide", "sync.wide", "deploy.wide", "merge.narrow")
    for queue in queues:
        put(anywhere, queue, *(message() for _ in range(40)))
    worker = claimant(anywhere, *queues)
    served = Counter(worker.claim().queue for _ in range(60))
    assert served == {"merge.narrow": 30, "merge.wide": 10, "sync.wide": 10, "deploy.wide": 10}


def test_a_tenant_that_may_not_run_hands_its_turn_on(redis: Redis) -> None:
    slow = terms("merge.slow", rate=0.001)
    put(redis, "merge.slow", *(message() for _ in range(9)))
    put(redis, "merge.quick", *(message() for _ in range(9)))
    served = Counter(each.queue for each in claimant(redis, slow, "merge.quick").drain())
    assert served == {"merge.slow": 2, "merge.quick": 9}


# Moments


def moment_of(redis: Redis, text: Any) -> float | None:
    """Return the epoch seconds that the script reads a moment as."""
    worker = claimant(redis, "merge")
    put(redis, "merge", message(expires=text))
    claimed = worker.claim()
    found = fields(redis, message_key(claimed.tag)).get("expires")
    worker.end(claimed)
    return float(found) / 1000 if found else None


def utc(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "2000-02-29T12:00:00+00:00",
        "1900-02-28T23:59:59Z",
        "1900-03-01T00:00:00Z",
        "2024-02-29T23:59:59.999999Z",
        "2024-03-01T00:30:00+01:00",
        "2100-02-28T23:59:59-00:30",
        "2027-01-01T00:30:00+01:00",
        "2026-12-31T23:30:00-0100",
        "2026-12-31T23:30:00+1345",
        "2026-06-15T08:09:10",
        "2026-06-15 08:09:10.5",
        "2026-06-15T08:09:10.000001",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
    ],
)
def test_moments_are_read_in_every_iso_form(anywhere: Redis, text: str) -> None:
    assert moment_of(anywhere, text) == pytest.approx(utc(text), abs=0.0011)


@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, "", "tomorrow", "2026-01-01"])
def test_what_is_no_moment_is_left_to_the_one_that_reads_headers(
    anywhere: Redis, value: Any
) -> None:
    assert moment_of(anywhere, value) is None


zones = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)
)
moments = st.datetimes(timezones=st.one_of(st.none(), zones)).filter(
    lambda each: 1 < each.year < 9999  # so that it has a year in UTC, too
)


@settings(max_examples=60, deadline=None)
@given(several=st.lists(moments, min_size=30, max_size=50))
def test_moments_are_read_as_python_reads_them(redis_url: str, several: list[datetime]) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        worker = claimant(redis, "merge")
        put(redis, "merge", *(message(expires=each.isoformat()) for each in several))
        for each, claimed in zip(several, worker.drain(), strict=True):
            read = int(fields(redis, message_key(claimed.tag))["expires"])
            zoned = each if each.tzinfo else each.replace(tzinfo=UTC)
            exact = (zoned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
            assert abs(read - exact) <= 1, each.isoformat()


def test_a_message_that_is_due_later_keeps_nobody_from_running(anywhere: Redis) -> None:
    worker = claimant(anywhere, "merge")
    due = clock(anywhere) + 60
    put(anywhere, "merge", message("later", eta=datetime.fromtimestamp(due, UTC).isoformat()))
    put(anywhere, "merge", message("first"))
    assert names(worker.drain()) == ["first"]
    assert due_at(anywhere, "merge") == [pytest.approx(due, abs=0.0011)]


def test_a_message_waits_until_its_eta(anywhere: Redis) -> None:
    worker = claimant(anywhere, "merge")
    due = clock(anywhere) + 0.4
    put(anywhere, "merge", message("later", eta=datetime.fromtimestamp(due, UTC).isoformat()))
    found: list[Claimed] = []

    def is_claimed() -> bool:
        found.extend(worker.drain())
        return bool(found)

    wait_until(is_claimed, 20, "it is due")
    (claimed,) = found
    assert (name_of(claimed), claimed.runs, claimed.verdict) == ("later", 1, "")
    assert claimed.at >= due - 0.0011


@pytest.mark.parametrize("text", ["2999-01-01T00:00:00", "2999-01-01T00:00:00.25+05:30", FAR])
def test_every_form_of_an_eta_is_waited_for(anywhere: Redis, text: str) -> None:
    put(anywhere, "merge", message(eta=text))
    claimant(anywhere, "merge").waits()
    assert due_at(anywhere, "merge") == [pytest.approx(utc(text), abs=0.0011)]


def test_a_past_eta_is_no_reason_to_wait(redis: Redis) -> None:
    put(redis, "merge", message("a", eta="2020-01-01T00:00:00Z"))
    assert names(claimant(redis, "merge").drain()) == ["a"]


def test_the_answer_says_when_something_will_be_due(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", message())
    told: Claimed | float = worker.claim()
    while isinstance(told, Claimed):  # asked too late, where the machine is busy
        worker.put_back(told, 0.003)
        told = worker.ask()
    assert 0.001 <= told <= 0.003


def test_ten_thousand_delayed_messages_do_not_hide_one_that_is_due(redis: Redis) -> None:
    pushed = redis.pipeline()
    for _ in range(10):
        pushed.lpush("merge", *(message(eta=FAR) for _ in range(1000)))
    pushed.execute()
    put(redis, "merge", message("due"))
    worker = claimant(redis, "merge")
    asked = next(turn for turn in itertools.count(1) if isinstance(worker.ask(), Claimed))
    assert asked == 100, "a hundred are put aside by each question, and no more"
    assert redis.zcard(delayed("merge")) == 10_000
    put(redis, "merge", message("next"))
    assert names(worker.drain()) == ["next"]


def test_one_question_puts_at_most_a_hundred_messages_aside(redis: Redis) -> None:
    for queue in ("merge", "sync"):
        put(redis, queue, *(message(eta=FAR) for _ in range(80)))
    assert claimant(redis, "merge", "sync").waits() <= 0.005
    assert redis.zcard(delayed("merge")) + redis.zcard(delayed("sync")) == 100


@pytest.mark.parametrize(
    "eta", ["2999-13-01T00:00:00Z", "2999-01-32T00:00:00Z", "2999-01-01T25:00:00Z"]
)
def test_an_eta_that_names_no_moment_is_not_waited_for(redis: Redis, eta: str) -> None:
    """Nobody would learn that it is wrong before a moment that nobody named."""
    put(redis, "merge", message("a", eta=eta))
    assert names(claimant(redis, "merge").drain()) == ["a"]


# Verdicts


def test_expired_and_revoked_messages_are_told_apart(anywhere: Redis) -> None:
    anywhere.zadd("gw:revoked", {"b": 1, "d": 1})
    put(anywhere, "merge", message("a", expires="2020-01-01T00:00:00Z"), message("b"))
    put(anywhere, "merge", message("c", expires=FAR), message("d", expires="2020-01-01T00:00:00Z"))
    found = {name_of(each): each.verdict for each in claimant(anywhere, "merge").drain()}
    assert found == {"a": "expired", "b": "revoked", "c": "", "d": "revoked"}


def test_a_delayed_message_can_expire_and_be_revoked(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    soon = clock(redis) + 1
    expires = datetime.fromtimestamp(soon, UTC).isoformat()
    put(redis, "merge", message("a", eta=FAR, expires=expires), message("b", eta=FAR))
    worker.waits()
    redis.zadd("gw:revoked", {"b": 1})
    sleep_until(redis, soon + 0.01)
    let_all_be_due(redis, "merge")
    found = {name_of(each): each.verdict for each in worker.drain()}
    assert found == {"a": "expired", "b": "revoked"}


UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"hello",
    "truncated": message()[:-20],
    "flipped": message().replace(b'"headers"', b'"heade\xf2s"'),
    "no UTF-8": b"\xff\xfe\x00{",
    "deep": b"[" * 1001 + b"]" * 1001,
    "deep headers": b'{"headers": {"x": ' + b"[" * 1001 + b"]" * 1001 + b"}}",
    "large": message(filler="x" * 5_000_000),
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "headers of null": raw({}, changes={"headers": None}),
    "headers of text": raw({}, changes={"headers": "x"}),
    "no headers": raw({}, without=["headers"]),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_unreadable_bytes_are_claimed_as_such_without_a_charge(anywhere: Redis, what: str) -> None:
    worker = claimant(anywhere, terms("merge", rate=0.001, budget=budget(6, 300)))
    put(anywhere, "merge", UNREADABLE[what], message("next"))
    claimed = worker.claim()
    assert (claimed.verdict, claimed.raw == UNREADABLE[what]) == ("unreadable", True)
    assert not anywhere.exists("gw:rate:merge", "gw:budget:default:genesys")
    assert name_of(worker.claim()) == "next"


def test_the_largest_message_is_read_and_one_more_byte_is_not(redis: Redis) -> None:
    largest = message(filler="x" * (LARGEST - len(message(filler=""))))
    assert len(largest) == LARGEST
    put(redis, "merge", largest, largest + b" ")
    found = [each.verdict for each in claimant(redis, "merge").drain()]
    assert found == ["", "unreadable"]


@pytest.mark.parametrize(
    "headers",
    [
        {"id": 7},
        {"id": None},
        {"id": ["a"]},
        {"id": {"a": 1}},
        {"eta": 7},
        {"eta": {}},
        {"expires": []},
        {"expires": 1.5},
        {"task": None},
    ],
)
def test_headers_of_a_wrong_type_are_left_to_the_one_that_reads_them(
    anywhere: Redis, headers: dict[str, Any]
) -> None:
    put(anywhere, "merge", raw({}, headers=headers), message("next"))
    first, second = claimant(anywhere, "merge").drain()
    assert (first.verdict, name_of(second)) == ("", "next")


def test_verdicts_that_run_nothing_wait_for_no_rate_budget_pause_or_tenant(
    anywhere: Redis,
) -> None:
    anywhere.zadd("gw:revoked", {"revoked": 1})
    anywhere.hset("gw:rates", "tenant:default", "{}")
    anywhere.set("gw:pause:default:genesys", "1", px=60_000)
    worker = claimant(anywhere, terms("merge", rate=0.001, budget=budget(6, 300)))
    put(anywhere, "merge", b"?", message("expired", expires="2020-01-01T00:00:00Z"))
    put(anywhere, "merge", message("revoked"))
    assert [each.verdict for each in worker.drain()] == ["unreadable", "expired", "revoked"]
    assert not anywhere.exists("gw:rate:merge", "gw:budget:default:genesys", "gw:granted")


# Bytes

BYTES: dict[str, bytes] = {
    "empty lists and objects": raw([[], {}, {"chord": None}], headers={"stamps": {}, "x": []}),
    "unicode": raw([[], {"name": "Zoë 🦊 \u2028"}, {}], headers={"x": "Zoë 🦊"}),
    "raw unicode": message("a").replace(b'"py"', '"pÿ🦊"'.encode()),
    "floats": message("a").replace(b'"py"', b"[1.0, 1e400, 0.1, 12345678901234567890, -0.0]"),
    "keys twice": message("a").replace(b'"lang"', b'"lang": 1, "lang"'),
    "spaces": b"  " + message("a") + b"\n\t ",
    "invalid UTF-8 in a text": message("a").replace(b'"py"', b'"\xc3\x28"'),
    "NUL": message("a").replace(b'"py"', b'"\\u0000"'),
}


@pytest.mark.parametrize("what", BYTES)
def test_bytes_come_back_as_they_were_sent_however_often(anywhere: Redis, what: str) -> None:
    worker = claimant(anywhere, "merge")
    put(anywhere, "merge", BYTES[what])
    for runs in (1, 2, 3):
        claimed = worker.claim()
        assert (claimed.raw, claimed.runs) == (BYTES[what], runs)
        worker.put_back(claimed)


@settings(max_examples=100, deadline=None)
@given(sent=st.lists(st.binary(max_size=80), min_size=1, max_size=8))
def test_any_bytes_are_claimed_once_each_in_order(redis_url: str, sent: list[bytes]) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        put(redis, "merge", *sent)
        assert [each.raw for each in claimant(redis, "merge").drain()] == sent


def test_messages_with_the_same_bytes_are_different_messages(anywhere: Redis) -> None:
    same = message("a")
    put(anywhere, "merge", same, same, message("z", eta=FAR), message("z", eta=FAR))
    worker = claimant(anywhere, "merge")
    first, second = worker.drain()
    assert first.raw == second.raw == same
    assert first.tag != second.tag
    assert anywhere.zcard(delayed("merge")) == 2
    worker.end(first)
    let_leases_end(anywhere, second)
    assert names(worker.drain()) == ["a"]


# Scripts and keys


def test_a_script_that_redis_forgot_is_loaded_again(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", message(), message())
    worker.end(worker.claim())
    redis.script_flush()
    worker.end(worker.claim())


def test_a_message_that_has_ended_leaves_no_key_of_its_own(anywhere: Redis) -> None:
    worker = claimant(anywhere, terms("merge", rate=100, budget=budget(1, 300)))
    put(anywhere, "merge", message(), message(eta="2020-01-01T00:00:00Z", expires=FAR))
    for claimed in worker.drain():
        worker.put_back(claimed, 0)
    for claimed in worker.drain():
        worker.end(claimed)
    left = {name.decode() for name in anywhere.keys("gw:*")}  # type: ignore[union-attr]
    forgotten = {name for name in left if anywhere.ttl(name) != -1}
    lasting = left - forgotten
    assert lasting == {"gw:pulse", "gw:tags", "gw:turns", "gw:idle"}
    granted = {name for name in left if name.startswith("gw:granted:")}
    assert forgotten == granted | {"gw:rate:merge", "gw:budget:default:genesys"}


def test_a_message_that_is_gone_keeps_nobody_from_the_next(redis: Redis) -> None:
    """Such as one that Redis evicted; an error here would end every worker's claims."""
    worker = claimant(redis, "merge")
    put(redis, "merge", message("gone"), message("next"))
    gone = worker.claim()
    worker.put_back(gone)
    redis.delete(message_key(gone.tag))
    assert names(worker.drain()) == ["next"]


def test_tags_are_never_issued_again_even_if_redis_has_lost_their_counter(redis: Redis) -> None:
    """After a failover, an old claim's end must not end another message."""
    worker = claimant(redis, "merge")
    put(redis, "merge", *(message() for _ in range(4)))
    before = {worker.claim().tag, worker.claim().tag}
    redis.delete("gw:tags")
    assert not before & {each.tag for each in worker.drain()}


# Messages that kill their workers


def kill(worker: Claimant, times: int) -> None:
    for _ in range(times):
        die(worker, worker.claim())


def test_a_message_that_kills_three_workers_runs_alone_and_is_then_poison(anywhere: Redis) -> None:
    worker = claimant(anywhere, "merge")
    put(anywhere, "merge", message("a"))
    kill(worker, 3)
    alone = worker.claim()
    assert (alone.verdict, alone.runs) == ("alone", 4)
    die(worker, alone)
    assert worker.claim().verdict == "poison"


def test_a_lease_that_ends_before_the_message_has_started_is_no_kill(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", message())
    for _ in range(6):
        claimed = worker.claim()
        assert claimed.verdict == ""
        let_leases_end(redis, claimed)


def test_what_ran_alone_and_was_put_back_is_no_poison(redis: Redis) -> None:
    """It waits for a lock, a pause or a budget like any other, and killed nobody."""
    worker = claimant(redis, "merge")
    put(redis, "merge", message())
    kill(worker, 3)
    for _ in range(3):
        alone = worker.claim()
        assert alone.verdict == "alone"
        worker.put_back(alone, 0)


def test_a_suspect_can_be_revoked(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", message("a"))
    kill(worker, 3)
    redis.zadd("gw:revoked", {"a": 1})
    assert worker.claim().verdict == "revoked"


def test_a_suspect_waits_for_an_idle_worker_and_others_go_on(anywhere: Redis) -> None:
    busy, other = (claimant(anywhere, "merge", worker=name) for name in ("busy", "other"))
    put(anywhere, "merge", message("a"), message("b"), message("c"))
    kill(busy, 3)
    assert busy.waits(idle=False) == 0.005
    assert name_of(other.claim(idle=False)) == "b"
    assert busy.waits(idle=False) == 0.005, "it drains, though there is a message"
    alone = busy.claim(idle=True)
    assert (name_of(alone), alone.verdict) == ("a", "alone")
    assert name_of(other.claim()) == "c"


def test_many_suspects_run_alone_one_after_the_other(redis: Redis) -> None:
    worker = claimant(redis, "merge")
    put(redis, "merge", *(message(f"{number:02}") for number in range(12)))
    for _ in range(3):
        held = worker.drain()
        for claimed in held:
            die(worker, claimed)
    put(redis, "merge", message("innocent"))
    found: list[str] = []
    for _ in range(13):
        claimed = worker.claim()
        found.append(claimed.verdict)
        worker.end(claimed)
    assert Counter(found) == {"alone": 12, "": 1}
