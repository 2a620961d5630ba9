"""What waits to be written to customers: one contract, kept in memory and in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tasks.apis.customers import CustomerAttribute
from tasks.pending import Pending, PendingInMemory, Stamp, Waiting
from tests.support.waiting import wait_until
from workers.letters.sealing import Seal
from workers.remembering.ledger import Claim
from workers.remembering.pending import PendingInRedis
from workers.store import Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = Fernet.generate_key().decode()

#: Returns what an operation of this name, first claimed so many seconds after noon, sees.
Operation = Callable[[str, int], Pending]


def text(value: str, name: str = "Tier") -> CustomerAttribute:
    return CustomerAttribute(name=name, type="string", value=value)


def in_redis(redis: Redis, name: str = "a", claimed: int = 0, key: str | None = KEY) -> Pending:
    claim = Claim(
        operation_id=name,
        tenant="default",
        owner="",
        attempts=1,
        first_at=(NOON + claimed * SECOND).timestamp(),
    )
    return PendingInRedis(store=Store(redis=redis), claim=claim, seal=Seal(key=key), keep=3600)


@pytest.fixture(params=["memory", "redis"])
def operation(request: pytest.FixtureRequest, redis: Redis) -> Operation:
    if request.param == "redis":
        return lambda name, claimed: in_redis(redis, name, claimed)
    shared = PendingInMemory()
    return lambda name, claimed: PendingInMemory(
        operation=name,
        claimed=NOON + claimed * SECOND,
        waits=shared.waits,
        wrote=shared.wrote,
        holds=shared.holds,
    )


def gather(
    pending: Pending, value: str, occurred_at: datetime | None = None, window: float = 0
) -> float:
    return pending.gather("c", {"tier": text(value)}, pending.stamp(occurred_at), window)


def waiting(pending: Pending) -> dict[str, str]:
    return {key: str(each.attribute.value) for key, each in pending.changes("c").waiting.items()}


def write_all(pending: Pending) -> None:
    pending.written("c", pending.changes("c").waiting)


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        pytest.param((0, NOON), (1, NOON + SECOND), "second", id="a later moment"),
        pytest.param((0, NOON + SECOND), (1, NOON), "first", id="an earlier moment"),
        pytest.param((0, None), (1, None), "second", id="no moments: the later claim"),
        pytest.param((1, None), (0, None), "first", id="no moments: the earlier claim"),
        pytest.param((1, NOON), (0, NOON), "first", id="one moment: the later claim"),
        pytest.param((5, NOON), (1, None), "second", id="a claim counts as its moment"),
    ],
)
def test_the_newest_value_of_a_field_waits(
    operation: Operation,
    first: tuple[int, datetime | None],
    second: tuple[int, datetime | None],
    stays: str,
) -> None:
    gather(operation("a", first[0]), "first", first[1])
    gather(operation("b", second[0]), "second", second[1])
    assert waiting(operation("c", 9)) == {"tier": stays}


def test_what_was_written_is_not_written_again_and_nothing_older_waits(
    operation: Operation,
) -> None:
    one, two = operation("a", 1), operation("b", 2)
    gather(one, "tin")
    gather(two, "gold")
    write_all(one)
    gather(two, "gold")
    gather(one, "tin")
    changes = one.changes("c")
    assert changes.waiting == {}
    assert changes.written == {"tier": two.stamp(None)}
    assert changes.newest("tier") == two.stamp(None)
    assert changes.newest("lang") is None


def test_a_value_that_arrives_during_a_write_still_waits_after_it(operation: Operation) -> None:
    one, two = operation("a", 1), operation("b", 2)
    gather(one, "tin")
    being_written = one.changes("c").waiting
    gather(two, "gold")
    one.written("c", being_written)
    assert waiting(two) == {"tier": "gold"}


def test_the_value_written_last_is_known_again_unless_it_is_in_doubt(operation: Operation) -> None:
    gather(operation("a", 1), "gold")
    write_all(operation("a", 1))
    again = operation("b", 2)
    gather(again, "gold")
    assert again.changes("c").waiting["tier"].same
    again.doubt("c", ["tier", "never written"])
    assert not again.changes("c").waiting["tier"].same
    assert again.changes("c").written == {"tier": operation("a", 1).stamp(None)}
    gather(operation("c", 3), "tin")
    assert not again.changes("c").waiting["tier"].same


def test_what_is_dropped_waits_no_longer_and_counts_as_never_written(operation: Operation) -> None:
    one, two = operation("a", 1), operation("b", 2)
    gather(one, "tin")
    mine = one.changes("c").waiting
    gather(two, "gold")
    one.drop("c", mine)
    assert waiting(one) == {"tier": "gold"}
    two.drop("c", two.changes("c").waiting)
    assert (waiting(two), two.changes("c").written) == ({}, {})


def test_customers_and_fields_are_apart(operation: Operation) -> None:
    pending = operation("a", 1)
    stamp = pending.stamp(None)
    pending.gather("c", {"tier": text("gold"), "vip": text("x")}, stamp, 0)
    pending.gather("d", {"tier": text("tin")}, stamp, 0)
    assert waiting(pending) == {"tier": "gold", "vip": "x"}
    pending.written("d", pending.changes("d").waiting)
    assert pending.changes("c").written == {}


def test_who_has_nothing_to_wait_for_waits_for_no_window(operation: Operation) -> None:
    one, two = operation("a", 1), operation("b", 2)
    assert gather(two, "gold", window=5) == pytest.approx(5, abs=4)
    write_all(two)
    assert gather(one, "tin", window=5) == 0
    assert gather(operation("c", 3), "tin", window=0) == 0


def test_a_customer_that_is_held_tells_for_how_long(operation: Operation) -> None:
    pending = operation("a", 1)
    assert pending.changes("c").held == 0
    pending.hold("c", 5)
    assert pending.changes("c").held == pytest.approx(5, abs=4)
    assert pending.changes("d").held == 0


def test_a_window_is_opened_by_the_first_and_shared_by_all(redis: Redis) -> None:
    first = gather(in_redis(redis, "a", 1), "tin", window=9)
    assert first == pytest.approx(9, abs=0.1)
    time.sleep(0.15)
    assert 0 < gather(in_redis(redis, "b", 2), "gold", window=9) < first - 0.1
    assert in_redis(redis).changes("c").held == 0
    redis.pexpire("gw:window:default:c", 1)
    wait_until(lambda: not redis.exists("gw:window:default:c"), 10, "it has ended")
    assert gather(in_redis(redis, "c", 3), "gold", window=60) > 9


@pytest.mark.parametrize(
    "value",
    [
        Decimal("12500.50"),
        Decimal(10**39 + 1),
        Decimal("1E+400"),
        Decimal(7),
        True,
        "ü\ud800\n",
        "",
    ],
)
def test_a_value_waits_as_it_is(redis: Redis, value: str | Decimal | bool) -> None:
    pending = in_redis(redis)
    given = CustomerAttribute(name="weird \udcff", type="string", value=value)
    pending.gather("c", {"weird \udcff": given}, pending.stamp(None), 0)
    (found,) = pending.changes("c").waiting.items()
    assert found[0] == "weird \udcff"
    assert repr(found[1].attribute.value) == repr(value)
    assert found[1].attribute == given
    assert type(found[1].attribute.value) is type(value)
    pending.written("c", {found[0]: found[1]})
    pending.gather("c", {"weird \udcff": given}, in_redis(redis, "b", 1).stamp(None), 0)
    assert pending.changes("c").waiting["weird \udcff"].same


def test_no_value_stands_in_redis_in_the_clear_before_or_after_its_write(redis: Redis) -> None:
    pending = in_redis(redis)
    gather(pending, "canary")
    stored = [redis.hgetall(name) for name in redis.scan_iter("gw:*")]
    write_all(pending)
    stored += [redis.hgetall(name) for name in redis.scan_iter("gw:*")]
    assert "canary" not in str(stored)
    assert list(redis.scan_iter("gw:pending:*")) == []


def test_values_sealed_with_another_key_are_gathered_anew_by_whose_they_are(redis: Redis) -> None:
    gather(in_redis(redis), "gold")
    renewed = in_redis(redis, key=Fernet.generate_key().decode())
    assert renewed.changes("c").newest("tier") is None
    gather(renewed, "gold")
    assert waiting(renewed) == {"tier": "gold"}


def test_a_value_that_was_written_under_an_older_key_is_known_again_under_a_newer_one(
    redis: Redis,
) -> None:
    older = in_redis(redis)
    gather(older, "gold")
    write_all(older)
    newer = in_redis(redis, "b", 1, f"{Fernet.generate_key().decode()},{KEY}")
    gather(newer, "gold")
    assert newer.changes("c").waiting["tier"].same


def test_what_was_written_is_forgotten_some_time_after_the_last_write_not_the_last_look(
    redis: Redis,
) -> None:
    pending = in_redis(redis)
    gather(pending, "gold")
    pending.doubt("c", ["tier"])
    write_all(pending)
    redis.pexpire("gw:written:default:c", 1_000_000)
    again = in_redis(redis, "b", 1)
    gather(again, "gold")
    write_all(again)
    assert 0 < redis.pttl("gw:written:default:c") <= 1_000_000
    again.doubt("c", ["tier"])
    assert redis.pttl("gw:written:default:c") > 3_000_000


def test_of_many_values_gathered_at_once_in_any_order_the_newest_stays(redis: Redis) -> None:
    moments = list(range(100))
    Random(3).shuffle(moments)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda n: gather(in_redis(redis, f"o-{n}", n), f"v{n}", NOON + n * SECOND), moments
            )
        )
    assert waiting(in_redis(redis)) == {"tier": "v99"}


@pytest.mark.parametrize("year", [1, 1969, 2026, 9999])
def test_a_stamp_is_read_back_and_sorts_as_its_text(year: int) -> None:
    stamp = Stamp.of("an:operation", NOON, datetime(year, 7, 20, tzinfo=UTC))
    assert Stamp.parse(str(stamp)) == stamp
    later = Stamp.of("an:operation", NOON, NOON)
    assert (stamp < later) == (str(stamp) < str(later))


def test_waiting_shows_no_value() -> None:
    shown = Waiting(stamp=Stamp.of("a", NOON, None), attribute=text("canary"))
    assert "canary" not in repr(shown)
