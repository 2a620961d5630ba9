"""The ledger on a real Redis: one run at a time, one effect, a replay begins anew."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tasks.errors import Postponed, Rejected
from tests.support import letters
from workers.remembering.ledger import BUSY_WAIT, Claim, Ended, Ledger, fingerprint
from workers.store import Store

PRINT = fingerprint("merge_profiles", {"target_profile_id": "a"})
ROUTE = "/api/v2/identity/profiles/merge"


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(store=Store(redis=redis), lease=60, keep=3600)


@pytest.fixture
def brief(redis: Redis) -> Ledger:
    """A ledger whose claims can be taken over as good as at once."""
    return Ledger(store=Store(redis=redis), lease=0.001, keep=3600)


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


def take_over(ledger: Ledger) -> Claim:
    time.sleep(0.01)
    return claim(ledger, "run-2")


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


@pytest.mark.parametrize(("lease", "least", "most"), [(60, 5, 5), (4, 1, 4)])
def test_whoever_finds_a_run_under_way_comes_back_soon_and_not_before_its_lease_can_end(
    redis: Redis, lease: float, least: float, most: float
) -> None:
    ledger = Ledger(store=Store(redis=redis), lease=lease, keep=3600)
    claim(ledger)
    with pytest.raises(Postponed) as busy:
        ask(ledger)
    assert least <= busy.value.wait <= most


def test_a_run_that_died_leaves_its_operation_when_its_lease_is_over(brief: Ledger) -> None:
    first, second = claim(brief), take_over(brief)
    assert (first.attempts, second.attempts) == (1, 2)
    assert second.first_at == first.first_at


def test_a_run_whose_operation_was_taken_over_cannot_end_it(brief: Ledger, redis: Redis) -> None:
    stale = claim(brief)
    take_over(brief)
    end(brief, stale, final=True)
    assert redis.hget("gw:operation:default:op", "state") == b"claimed"


def test_a_run_whose_operation_was_taken_over_begins_no_change(brief: Ledger, redis: Redis) -> None:
    stale = claim(brief)
    take_over(brief)
    with pytest.raises(Postponed, match="another run has taken this operation over") as lost:
        brief.intend(stale, ROUTE, 30)
    assert lost.value.wait == BUSY_WAIT
    assert not redis.hexists("gw:operation:default:op", "intent")


def test_a_change_that_a_dead_run_has_begun_is_waited_for_and_then_known(brief: Ledger) -> None:
    brief.intend(claim(brief), ROUTE, 1)
    time.sleep(0.01)
    with pytest.raises(Postponed, match="what an earlier run has begun may still happen") as begun:
        ask(brief)
    assert 0 < begun.value.wait <= 1
    time.sleep(begun.value.wait)
    assert claim(brief, "run-2").unfinished == ROUTE


@pytest.mark.parametrize(("touched", "known"), [(False, None), (True, ROUTE)])
def test_a_run_that_is_put_back_leaves_what_it_may_have_changed_and_nothing_to_wait_for(
    ledger: Ledger, touched: bool, known: str | None
) -> None:
    granted = claim(ledger)
    ledger.intend(granted, ROUTE, 30)
    ledger.put_back(granted, touched=touched)
    assert claim(ledger, "run-2").unfinished == known


def test_what_an_earlier_run_may_have_changed_outlives_a_run_that_changed_nothing(
    ledger: Ledger,
) -> None:
    first = claim(ledger)
    ledger.intend(first, ROUTE, 30)
    ledger.put_back(first, touched=True)
    ledger.put_back(claim(ledger, "run-2"))
    assert claim(ledger, "run-3").unfinished == ROUTE


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
