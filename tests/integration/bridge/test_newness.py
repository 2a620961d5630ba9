"""What counts as a new occurrence, decided by `send_once.lua` on a real Redis."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tasks.errors import Rejected
from tests.support import letters
from tests.support.occurring import arguments, queued, wanted
from workers.bridge.judging.matching import Wanted
from workers.bridge.publishing.once import REMEMBERED, Once, Put
from workers.remembering.ledger import Claim, Ledger, fingerprint
from workers.sending.outbox import Outbox
from workers.sending.producer import Producer
from workers.store import Store

#: No message that is put now is about what occurs then.
LATER = 4_000_000_000_000

Step = tuple[str, int, str]

CASES: dict[str, list[Step]] = {
    "the first occurrence is new": [("a", 10, "new")],
    "the same one is new once": [("a", 10, "new"), ("a", 10, "duplicate"), ("a", 10, "duplicate")],
    "a state that is told again later, or earlier, is the same one": [
        ("a", 10, "new"),
        ("a", 30, "duplicate"),
        ("a", 5, "duplicate"),
    ],
    "another state is new": [("a", 10, "new"), ("b", 20, "new"), ("c", 30, "new")],
    "so is one that is told late": [("b", 20, "new"), ("a", 10, "new"), ("b", 30, "duplicate")],
    "what is told again of earlier states is known": [
        ("a", 10, "new"),
        ("b", 20, "new"),
        ("a", 10, "duplicate"),
        ("a", 15, "duplicate"),
        ("b", 20, "duplicate"),
    ],
    "a return to an old state is new, once": [
        ("a", 10, "new"),
        ("b", 20, "new"),
        ("a", 30, "new"),
        ("a", 30, "duplicate"),
        ("a", 40, "duplicate"),
        ("b", 20, "duplicate"),
    ],
    "each return is new": [
        ("a", 10, "new"),
        ("b", 20, "new"),
        ("a", 30, "new"),
        ("b", 40, "new"),
        ("a", 50, "new"),
        ("a", 30, "duplicate"),
        ("b", 40, "duplicate"),
    ],
    "a return has to be later than the state it leaves, as it was told last": [
        ("a", 10, "new"),
        ("b", 20, "new"),
        ("b", 40, "duplicate"),
        ("a", 30, "duplicate"),
        ("a", 40, "duplicate"),
        ("a", 41, "new"),
    ],
    "nobody returns to a state that was told late and never left": [
        ("b", 20, "new"),
        ("a", 10, "new"),
        ("a", 12, "duplicate"),
        ("b", 25, "duplicate"),
    ],
    "of two states at one moment the one that was told last counts": [
        ("a", 10, "new"),
        ("b", 10, "new"),
        ("a", 10, "duplicate"),
        ("b", 20, "duplicate"),
        ("a", 30, "new"),
    ],
    "an unknown occurrence is new where nothing is known": [
        ("", 10, "new"),
        ("", 10, "duplicate"),
        ("", 99, "duplicate"),
    ],
    "it is about what is known, where anything is": [
        ("a", 10, "new"),
        ("", 20, "duplicate"),
        ("", LATER, "duplicate"),
        ("a", 10, "duplicate"),
        ("b", 20, "new"),
    ],
    "what is told after it was this": [
        ("", 10, "new"),
        ("a", 20, "duplicate"),
        ("a", 20, "duplicate"),
        ("", 10, "duplicate"),
        ("b", 30, "new"),
        ("a", 40, "new"),
    ],
    "of several that are told after it one was this": [
        ("", 50, "new"),
        ("b", 20, "duplicate"),
        ("a", 10, "new"),
        ("b", 30, "duplicate"),
    ],
    "what occurs after the message about it was put is another one": [
        ("", 10, "new"),
        ("a", LATER, "new"),
        ("a", LATER, "duplicate"),
        ("b", 20, "duplicate"),
        ("b", 20, "duplicate"),
        ("c", 30, "new"),
    ],
    "what is told again of known states is not what was unknown": [
        ("", 10, "new"),
        ("a", LATER, "new"),
        ("b", LATER + 1, "new"),
        ("a", 20, "duplicate"),
        ("c", 20, "duplicate"),
        ("d", 20, "new"),
    ],
    "an unknown occurrence of the future lasts until then": [
        ("", LATER, "new"),
        ("a", LATER, "duplicate"),
        ("b", LATER + 1, "new"),
    ],
}


@pytest.fixture
def once(redis: Redis, redis_url: str) -> Once:
    outbox = Outbox(app=Producer(redis_url).app, store=Store(redis=redis), keep=3600)
    return Once(outbox=outbox)


def made(steps: Sequence[tuple[str, int]]) -> list[Wanted]:
    return [wanted(value and f"values:{value}", at) for value, at in steps]


def names(redis: Redis) -> list[str]:
    return [arguments(message)["operation_id"] for message in queued(redis)]


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
@pytest.mark.parametrize("case", CASES)
def test_newness(once: Once, redis: Redis, case: str, together: bool) -> None:
    steps = made([(value, at) for value, at, _ in CASES[case]])
    answers = once.put(steps) if together else [once.put([step])[0] for step in steps]
    expected = [answer for _, _, answer in CASES[case]]
    assert answers == expected
    assert len(set(names(redis))) == redis.llen("sync") == expected.count("new")


def test_a_return_has_an_operation_of_its_own(once: Once, redis: Redis) -> None:
    first, other, back = made([("a", 10), ("b", 20), ("a", 30)])
    once.put([first, other])
    once.put([back])
    third = back.occurrence.again(30)
    assert names(redis) == [first.message.operation_id, other.message.operation_id, third]
    entry = redis.hmget(f"gw:operation:default:{third}", ["state", "message_id"])
    assert entry == [b"open", third.encode()]
    assert queued(redis)[2]["headers"]["id"] == third


def test_subjects_and_tenants_have_nothing_to_do_with_each_other(once: Once, redis: Redis) -> None:
    offered = [
        wanted("values:a", 10),
        wanted("values:a", 10, contact="c-2"),
        wanted("values:a", 10, tenant="acme"),
    ]
    assert once.put(offered) == ["new"] * 3
    assert (redis.llen("sync"), redis.llen("sync.acme")) == (2, 1)


@pytest.mark.parametrize("keep", [60, 2 * REMEMBERED])
def test_occurrences_are_remembered_for_a_week_and_as_long_as_the_ledger(
    once: Once, redis: Redis, keep: int
) -> None:
    once = Once(outbox=Outbox(app=once.outbox.app, store=once.outbox.store, keep=keep))
    for step in made([("", 1), ("a", 2), ("a", 3), ("b", 4)]):
        once.put([step])
        (key,) = redis.keys("gw:occurrence:default:*")
        remembered = max(REMEMBERED, keep)
        assert remembered - 5 < int(redis.pttl(key)) / 1000 <= remembered
        redis.persist(key)
    kept = [int(redis.pttl(name)) / 1000 for name in redis.keys("gw:operation:*")]
    assert all(keep - 5 < each <= keep for each in kept)


# What the ledger knows


def ledger(once: Once) -> Ledger:
    return Ledger(store=once.outbox.store, lease=60, keep=3600)


def claim(once: Once, offered: Wanted, digest: str | None = None) -> Claim:
    message = offered.message
    claimed = ledger(once).claim(
        message.tenant,
        str(message.operation_id),
        "run-1",
        digest or fingerprint(message.task, message.arguments()),
        "message-1",
    )
    assert isinstance(claimed, Claim)
    return claimed


def forget_occurrences(redis: Redis) -> None:
    redis.delete(*redis.keys("gw:occurrence:*"))


@pytest.mark.parametrize("value", ["values:a", ""])
def test_an_operation_that_is_known_is_not_asked_for_again(
    once: Once, redis: Redis, value: str
) -> None:
    once.put([wanted(value, 10)])
    forget_occurrences(redis)
    assert once.put([wanted(value, 10)]) == ["duplicate"]
    assert once.put([wanted(value, 10)]) == ["duplicate"]
    assert redis.llen("sync") == 1


@pytest.mark.parametrize("value", ["values:a", ""])
def test_an_occurrence_is_remembered_when_the_ledger_has_forgotten_its_operation(
    once: Once, redis: Redis, value: str
) -> None:
    once.put([wanted(value, 10)])
    redis.delete(*redis.keys("gw:operation:*"))
    assert once.put([wanted(value, 10)]) == ["duplicate"]


@pytest.mark.parametrize("final", [False, True], ids=["failed", "done"])
def test_nor_one_that_has_ended(once: Once, redis: Redis, final: bool) -> None:
    offered = wanted("values:a", 10)
    letters.end(ledger(once), claim(once, offered), {"status": "failed"}, final=final)
    assert once.put([offered]) == ["duplicate"]
    assert redis.llen("sync") == 0


def test_nor_one_with_other_arguments(once: Once, redis: Redis) -> None:
    offered = wanted("values:a", 10)
    claim(once, offered, fingerprint("sync_profile", {"contact_id": "somebody else"}))
    assert once.put([offered]) == ["duplicate"]
    assert redis.llen("sync") == 0
    with pytest.raises(Rejected):  # as anybody else who asks for it is told
        once.outbox.put(offered.message)


def test_rules_that_ask_for_other_arguments_do_not_make_an_occurrence_new(
    once: Once, redis: Redis
) -> None:
    once.put([wanted("values:a", 10)])
    forget_occurrences(redis)
    assert once.put([wanted("values:a", 10, customer_id="k-1")]) == ["duplicate"]


def test_a_return_whose_operation_is_known_is_remembered_all_the_same(
    once: Once, redis: Redis
) -> None:
    first, other, back = made([("a", 10), ("b", 20), ("a", 30)])
    once.put([first, other])
    redis.hset(f"gw:operation:default:{back.occurrence.again(30)}", "state", "ended")
    assert once.put([back]) == ["duplicate"]
    assert once.put(made([("b", 40)])) == ["new"]


def test_a_return_to_a_state_that_only_the_ledger_knows_is_new(once: Once, redis: Redis) -> None:
    once.put(made([("a", 10)]))
    forget_occurrences(redis)
    assert once.put(made([("b", 20), ("a", 10), ("a", 30)])) == ["new", "duplicate", "new"]


# Any order


in_examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@in_examples
@given(
    moments=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    seed=st.integers(0, 2**32),
    times=st.integers(1, 3),
    size=st.integers(1, 30),
)
def test_each_of_several_occurrences_is_new_once_in_any_order_and_however_often(
    once: Once, redis: Redis, moments: list[int], seed: int, times: int, size: int
) -> None:
    redis.flushdb()
    offered = made([(str(number), at) for number, at in enumerate(moments)]) * times
    random.Random(seed).shuffle(offered)
    answers = [
        answer
        for start in range(0, len(offered), size)
        for answer in once.put(offered[start : start + size])
    ]
    assert answers.count("new") == len(moments)
    assert sorted(names(redis)) == sorted({str(each.message.operation_id) for each in offered})


@in_examples
@given(
    states=st.lists(st.sampled_from("abc"), min_size=1, max_size=12),
    seed=st.integers(0, 2**32),
)
def test_told_in_order_each_change_is_new_whatever_is_told_again(
    once: Once, redis: Redis, states: list[str], seed: int
) -> None:
    redis.flushdb()
    chance = random.Random(seed)
    told: list[tuple[str, int]] = []
    for at, state in enumerate(states):
        told.append((state, at))
        told.extend(chance.choices(told, k=chance.randrange(3)))
    answers = once.put(made(told))
    assert answers.count("new") == len(list(groupby(states)))


@in_examples
@given(told=st.lists(st.tuples(st.sampled_from(["", *"abc"]), st.integers(0, 6)), max_size=14))
def test_it_makes_no_difference_what_is_offered_together(
    once: Once, redis: Redis, told: list[tuple[str, int]]
) -> None:
    redis.flushdb()
    one_by_one = [once.put([each])[0] for each in made(told)]
    put = names(redis)
    redis.flushdb()
    assert once.put(made(told)) == one_by_one
    assert names(redis) == put


def test_each_occurrence_is_new_to_one_of_several_bridges(once: Once, redis: Redis) -> None:
    once.put(made([("back", 1), ("left", 2)]))
    offered = [
        *made([("back", 3)]),
        *(wanted("values:a", 10, contact=str(number)) for number in range(300)),
    ]

    def put(seed: int) -> list[Put]:
        return once.put(random.Random(seed).sample(offered, len(offered)))

    with ThreadPoolExecutor(4) as bridges:
        answers = [answer for put_by_one in bridges.map(put, range(8)) for answer in put_by_one]
    assert answers.count("new") == len(offered)
    assert len(set(names(redis))) == redis.llen("sync") == len(offered) + 2


def test_a_subject_with_very_many_states_forgets_the_oldest_ones(once: Once, redis: Redis) -> None:
    steps = [(str(number), number) for number in range(1000)]
    assert once.put(made(steps)) == ["new"] * 1000
    (key,) = redis.keys("gw:occurrence:default:*")
    held = redis.hgetall(key)
    assert held.pop(b"current") == b"values:999"
    assert sorted(map(int, held.values())) == list(range(1000 - len(held), 1000))
    assert 64 <= len(held) <= 128
    assert set(once.put(made(steps))) == {"duplicate"}
    assert once.put(made([("0", 2000)])) == ["new"]


@pytest.fixture
def hashed(redis: Redis) -> Iterator[None]:
    """Let Redis give the fields of a small hash in any order, as those of a large one."""
    name = "hash-max-ziplist-entries"  # as Redis 6 names it, and 7 too
    before: Any = redis.config_get(name)
    redis.config_set(name, 0)
    yield
    redis.config_set(name, before[name])


def test_very_many_states_at_one_moment_keep_the_one_that_was_told_last(
    once: Once, redis: Redis, hashed: None
) -> None:
    for number in range(600):
        assert once.put(made([(str(number), 10)])) == ["new"]
        (key,) = redis.keys("gw:occurrence:default:*")
        assert redis.hget(key, f"values:{number}") == b"10"
    assert once.put(made([("599", 20)])) == ["duplicate"]
