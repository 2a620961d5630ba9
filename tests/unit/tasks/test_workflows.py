"""Merge, then sync the survivor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks import errors
from tasks.apis.systems import Systems
from tasks.mapping import SyncRules
from tasks.messages import MergeAndSync, SyncProfile
from tasks.workflows import OPERATION, merge_and_sync
from tests.unit.tasks.fakes import FakeCustomers, FakeGenesys, FakeNewest


@pytest.fixture
def genesys() -> FakeGenesys:
    fake = FakeGenesys()
    fake.add_profile("target")
    fake.add_profile("source")
    return fake


def systems(genesys: FakeGenesys) -> Systems:
    return Systems(
        genesys=genesys,  # type: ignore[arg-type]  # knows the verbs that a merge needs
        customers=FakeCustomers(),
        sync=SyncRules(),
        newest=FakeNewest(first_claim=datetime(2026, 1, 1, tzinfo=UTC)),
    )


def message(**fields: Any) -> MergeAndSync:
    return MergeAndSync(source_profile_ids=["source"], target_profile_id="target", **fields)


def follow_up(outcome_of: MergeAndSync, genesys: FakeGenesys) -> SyncProfile:
    (following,) = merge_and_sync(outcome_of, systems(genesys)).follow_ups
    assert following.suffix == "sync"
    assert isinstance(following.message, SyncProfile)
    return following.message


def test_the_survivor_that_the_merge_returned_is_synced(genesys: FakeGenesys) -> None:
    class Renaming(FakeGenesys):
        def merge(self, *_: object) -> str:
            return "survivor"

    renaming = Renaming(profiles=genesys.profiles)
    assert follow_up(message(), renaming) == SyncProfile(contact_id="survivor")


def test_the_sync_keeps_tenant_correlation_and_customer(genesys: FakeGenesys) -> None:
    sent = message(tenant="acme", correlation_id="c-1", customer_id="customer-9")
    assert follow_up(sent, genesys) == SyncProfile(
        contact_id="target", tenant="acme", correlation_id="c-1", customer_id="customer-9"
    )


def test_a_contact_named_by_the_message_is_synced_instead(genesys: FakeGenesys) -> None:
    assert follow_up(message(contact_id="contact-5"), genesys).contact_id == "contact-5"


def test_a_merge_that_is_done_already_is_followed_too(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", links=["source"])
    outcome = merge_and_sync(message(), systems(genesys))
    assert outcome.status == "noop"
    assert len(outcome.follow_ups) == 1


def test_a_refused_merge_is_followed_by_nothing(genesys: FakeGenesys) -> None:
    del genesys.profiles["source"]
    with pytest.raises(errors.Rejected):
        merge_and_sync(message(), systems(genesys))


def test_the_workflow_holds_the_locks_of_its_merge() -> None:
    assert set(OPERATION.locks(message())) == {"profile:target", "profile:source"}
