"""The steps of a saga, and what it reserves, from attempt to attempt."""

from __future__ import annotations

import pytest
from redis import Redis

from tasks.errors import Postponed
from tests.support import letters
from workers.remembering.ledger import Claim, Ended, Ledger, fingerprint
from workers.remembering.steps import RESERVED_WAIT, StepsInRedis
from workers.store import Store

PRINT = fingerprint("deploy_config", {})
RESOURCE = "configuration:c-1"


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(store=Store(redis=redis), lease=60, keep=3600)


def claim(
    ledger: Ledger, operation_id: str = "op", *, message_id: str = "m", run: str = ""
) -> Claim:
    owner = run or f"run-of-{operation_id}"
    granted = ledger.claim("default", operation_id, owner, PRINT, message_id)
    assert not isinstance(granted, Ended)
    return granted


def steps_of(ledger: Ledger, granted: Claim) -> StepsInRedis:
    return StepsInRedis(store=ledger.store, claim=granted)


def reserve(ledger: Ledger, granted: Claim, resource: str = RESOURCE) -> None:
    steps_of(ledger, granted).reserve(resource)


def crash(ledger: Ledger, operation_id: str) -> None:
    """Let the run's lease end: its worker is gone."""
    ledger.store.redis.hset(f"gw:operation:default:{operation_id}", "lease_until", "1")


def test_the_next_attempt_finds_the_steps_of_all_before_it(ledger: Ledger) -> None:
    first = steps_of(ledger, claim(ledger))
    first.note("draft", {"modified_at": "2026-05-01T12:00:00Z"})
    ledger.put_back(first.claim)
    second = steps_of(ledger, claim(ledger, run="run-2"))
    second.note("published", {"version": "7"})
    crash(ledger, "op")
    third = steps_of(ledger, claim(ledger, run="run-3"))
    expected = {"draft": {"modified_at": "2026-05-01T12:00:00Z"}, "published": {"version": "7"}}
    assert second.done() == third.done() == expected


def test_a_run_that_was_overtaken_notes_and_reserves_nothing(ledger: Ledger) -> None:
    stale = steps_of(ledger, claim(ledger))
    crash(ledger, "op")
    heir = claim(ledger, run="run-2")
    with pytest.raises(Postponed, match="another run has taken this operation over"):
        stale.note("draft", {})
    with pytest.raises(Postponed, match="another run has taken this operation over"):
        stale.reserve(RESOURCE)
    assert stale.done() == {}
    assert steps_of(ledger, heir).done() == {}
    reserve(ledger, claim(ledger, "other"))


@pytest.mark.parametrize("final", [True, False])
def test_nothing_of_the_steps_stays_when_the_operation_has_ended(
    ledger: Ledger, redis: Redis, final: bool
) -> None:
    granted = claim(ledger)
    steps_of(ledger, granted).note("draft", {})
    letters.end(ledger, granted, {"status": "done"}, final=final)
    assert not redis.hexists("gw:operation:default:op", "steps")


def test_a_failed_operation_that_is_asked_for_again_begins_with_no_steps(ledger: Ledger) -> None:
    granted = claim(ledger)
    steps_of(ledger, granted).note("draft", {})
    letters.end(ledger, granted, {"status": "failed"}, final=False)
    assert steps_of(ledger, claim(ledger, message_id="replay")).done() == {}


def test_an_operation_reserves_again_what_it_keeps(ledger: Ledger) -> None:
    granted = claim(ledger)
    reserve(ledger, granted)
    ledger.put_back(granted)
    reserve(ledger, claim(ledger, run="run-2"))


@pytest.mark.parametrize("gone", ["running", "crashed", "put back"])
def test_what_an_operation_keeps_waits_until_it_has_ended(ledger: Ledger, gone: str) -> None:
    holder = claim(ledger)
    reserve(ledger, holder)
    if gone == "crashed":
        crash(ledger, "op")
    if gone == "put back":
        ledger.put_back(holder)
    other = claim(ledger, "other")
    with pytest.raises(
        Postponed, match=r"^another operation is changing this configuration"
    ) as kept:
        reserve(ledger, other)
    assert (kept.value.wait, kept.value.deadline) == (RESERVED_WAIT, None)
    reserve(ledger, other, "configuration:c-2")


@pytest.mark.parametrize("end", ["ended", "dead-lettered", "forgotten"])
def test_what_an_operation_kept_is_free_once_it_has_ended(
    ledger: Ledger, redis: Redis, end: str
) -> None:
    holder = claim(ledger)
    reserve(ledger, holder)
    if end == "forgotten":
        redis.delete("gw:operation:default:op")
    else:
        letters.end(ledger, holder, {"status": "done"}, final=end == "ended")
    other = claim(ledger, "other")
    reserve(ledger, other)
    assert redis.get(f"gw:reserved:default:{RESOURCE}") == b"other"


def test_one_tenants_resources_are_not_anothers(ledger: Ledger) -> None:
    reserve(ledger, claim(ledger))
    theirs = ledger.claim("acme", "op", "run-of-acme", PRINT, "m")
    assert isinstance(theirs, Claim)
    reserve(ledger, theirs)


def test_a_reservation_that_nobody_asks_for_any_more_is_forgotten(
    ledger: Ledger, redis: Redis
) -> None:
    reserve(ledger, claim(ledger))
    assert 0 < redis.ttl(f"gw:reserved:default:{RESOURCE}") <= 86_400
