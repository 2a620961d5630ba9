"""The ledger on a real Redis: one run at a time, one effect, a replay begins anew."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tasks.errors import Postponed, Rejected
from tests.support import letters
from workers.ledger import Claim, Ended, Ledger, fingerprint
from workers.store import Store

PRINT = fingerprint("merge_profiles", {"target_profile_id": "a"})


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(store=Store(redis=redis), lease=60, keep=3600)


def ask(
    ledger: Ledger,
    owner: str = "run-2",
    *,
    digest: str = PRINT,
    tenant: str = "default",
    message_id: str = "message-1",
) -> Claim | Ended:
    return ledger.claim(tenant, "op", owner, digest, message_id)


def claim(ledger: Ledger, owner: str = "run-1", message_id: str = "message-1") -> Claim:
    granted = ask(ledger, owner, message_id=message_id)
    assert isinstance(granted, Claim)
    return granted


def end(ledger: Ledger, granted: Claim, *, final: bool) -> None:
    letters.end(ledger, granted, {"status": "done"}, final=final)


def test_one_of_many_concurrent_claims_is_granted(ledger: Ledger) -> None:
    def attempt(number: int) -> bool:
        try:
            return isinstance(ask(ledger, f"run-{number}"), Claim)
        except Postponed:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(64))) == 1


@pytest.mark.parametrize(("lease", "least", "most"), [(60, 5, 5), (2, 1.5, 2)])
def test_whoever_finds_a_run_under_way_comes_back_soon_and_not_before_its_lease_can_end(
    redis: Redis, lease: float, least: float, most: float
) -> None:
    ledger = Ledger(store=Store(redis=redis), lease=lease, keep=3600)
    claim(ledger)
    with pytest.raises(Postponed) as busy:
        ask(ledger)
    assert least <= busy.value.wait <= most


def test_a_run_that_died_leaves_its_operation_when_its_lease_is_over(redis: Redis) -> None:
    ledger = Ledger(store=Store(redis=redis), lease=0.001, keep=3600)
    first = claim(ledger)
    time.sleep(0.01)
    second = claim(ledger, "run-2")
    assert (first.attempts, second.attempts) == (1, 2)
    assert second.first_at == first.first_at


def test_a_run_whose_operation_was_taken_over_cannot_end_it(redis: Redis) -> None:
    ledger = Ledger(store=Store(redis=redis), lease=0.001, keep=3600)
    stale = claim(ledger)
    time.sleep(0.01)
    claim(ledger, "run-2")
    end(ledger, stale, final=True)
    assert redis.hget("gw:operation:default:op", "state") == b"claimed"


def test_an_operation_that_has_ended_answers_its_result_for_as_long_as_it_is_kept(
    ledger: Ledger, redis: Redis
) -> None:
    end(ledger, claim(ledger), final=True)
    assert ask(ledger) == Ended(result={"status": "done"})
    assert 3_500_000 < int(redis.pttl("gw:operation:default:op")) <= 3_600_000


def test_an_id_cannot_be_used_for_other_arguments(ledger: Ledger) -> None:
    end(ledger, claim(ledger), final=True)
    with pytest.raises(Rejected, match="operation_id: belongs to an operation with other"):
        ask(ledger, digest=fingerprint("merge_profiles", {}))


def test_tries_are_counted_by_cause_and_a_put_back_without_one_counts_none(
    ledger: Ledger,
) -> None:
    for cause in ("StateChanged", "", "OutcomeUnknown", "StateChanged"):
        ledger.put_back(claim(ledger), cause=cause)
    granted = claim(ledger)
    assert granted.tries == {"StateChanged": 2, "OutcomeUnknown": 1}
    assert granted.attempts == 5


def test_a_failed_operation_answers_its_own_message_and_begins_anew_for_another(
    ledger: Ledger,
) -> None:
    ledger.put_back(claim(ledger), cause="OutcomeUnknown")
    failed = claim(ledger)
    end(ledger, failed, final=False)
    time.sleep(0.01)
    assert ask(ledger) == Ended(result={"status": "done"})
    replayed = claim(ledger, "run-3", "message-2")
    assert replayed.tries == {}
    assert replayed.first_at > failed.first_at


def test_the_same_id_of_two_tenants_is_two_operations(ledger: Ledger) -> None:
    claim(ledger)
    assert isinstance(ask(ledger, tenant="acme"), Claim)


@pytest.mark.parametrize("name", ["operation_id", "correlation_id"])
def test_ids_that_only_name_the_asking_do_not_change_what_is_asked(name: str) -> None:
    assert fingerprint("merge_profiles", {"target_profile_id": "a", name: "x"}) == PRINT
