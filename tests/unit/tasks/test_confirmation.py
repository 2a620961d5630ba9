"""Attributes that an API accepts first and shows later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tasks import errors
from tasks.apis.capabilities import PLATFORM, Capabilities
from tasks.apis.genesys import Genesys, Participant
from tasks.apis.systems import Systems
from tasks.attributes import set_attributes
from tasks.confirmation import OPERATION, confirm_attributes
from tasks.mapping import SyncRules
from tasks.messages import ConfirmAttributes, SetAttributes, parse
from tasks.operations import Outcome
from tests.unit.tasks.fakes import FakeGenesys, FakeNewest

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Accepting(FakeGenesys):
    """Shows what was set when it is told to; at once where it is not `slow`."""

    capabilities: Capabilities = PLATFORM
    slow: bool = True
    pending: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        self.pending.append((conversation_id, participant_id, attributes))
        if not self.slow:
            self.show()

    def show(self) -> None:
        for each in self.pending:
            super().set_attributes(*each)
        self.pending.clear()


@pytest.fixture
def genesys() -> Accepting:
    party = Participant(
        id="p",
        roles=frozenset({"agent", "user"}),
        state="connected",
        attributes={"tier": "tin"},
        last_updated="",
    )
    return Accepting(conversations={"c": [party]})


@pytest.fixture
def newest() -> FakeNewest:
    return FakeNewest(first_claim=NOON)


def systems(genesys: Accepting, newest: FakeNewest, seconds: float = 0) -> Systems:
    """The systems of an operation that was first claimed at noon, so many seconds later."""
    return Systems(
        genesys=cast(Genesys, genesys),
        customers=None,
        sync=SyncRules(),
        newest=newest,
        started=NOON,
        now=lambda: NOON + timedelta(seconds=seconds),
    )


def set_(genesys: Accepting, newest: FakeNewest, seconds: float = 0, **attributes: str) -> Outcome:
    """Set attributes by a message whose first claim is so many seconds after noon."""
    newest.first_claim = NOON + timedelta(seconds=seconds)
    message = SetAttributes(conversation_id="c", attributes=attributes)
    at = replace(systems(genesys, newest, seconds), started=newest.first_claim)
    return set_attributes(message, at)


def follow_up(outcome: Outcome) -> ConfirmAttributes:
    (following,) = outcome.follow_ups
    assert following.id_after("op") == "op:confirm"
    return parse(ConfirmAttributes, following.message.arguments())


def test_what_is_accepted_and_not_seen_is_looked_for_by_a_message(
    genesys: Accepting, newest: FakeNewest
) -> None:
    outcome = set_(genesys, newest, tier="gold")
    assert (outcome.status, outcome.detail["unconfirmed"]) == ("accepted", ["tier"])
    genesys.show()
    seen = confirm_attributes(follow_up(outcome), systems(genesys, newest))
    assert seen.status == "done"
    assert seen.detail == {"participant_id": "p", "confirmed": ["tier"], "superseded": []}


def test_what_is_seen_at_once_needs_no_message(genesys: Accepting, newest: FakeNewest) -> None:
    genesys.slow = False
    outcome = set_(genesys, newest, tier="gold")
    assert (outcome.status, outcome.follow_ups) == ("done", ())


def test_it_looks_less_and_less_often(genesys: Accepting, newest: FakeNewest) -> None:
    message = follow_up(set_(genesys, newest, tier="gold"))
    waits = []
    for seconds in (0, 4, 20):
        with pytest.raises(errors.Postponed, match="not seen yet: tier") as waiting:
            confirm_attributes(message, systems(genesys, newest, seconds))
        waits.append(waiting.value.wait)
    assert waits == [1, 2, 5]


def test_what_is_never_seen_fails_with_its_names_and_no_value(
    genesys: Accepting, newest: FakeNewest
) -> None:
    message = follow_up(set_(genesys, newest, tier="gold", vip="yes"))
    with pytest.raises(errors.Failed) as failure:
        confirm_attributes(message, systems(genesys, newest, seconds=30))
    assert str(failure.value) == "attributes: accepted, and not seen within 30 s: tier, vip"


def test_who_has_left_shows_nothing_any_more(genesys: Accepting, newest: FakeNewest) -> None:
    message = follow_up(set_(genesys, newest, tier="gold"))
    genesys.conversations["c"].clear()
    with pytest.raises(errors.Failed, match="left before these were seen: tier"):
        confirm_attributes(message, systems(genesys, newest))


def test_what_a_newer_message_has_overwritten_is_not_looked_for(
    genesys: Accepting, newest: FakeNewest
) -> None:
    older = follow_up(set_(genesys, newest, tier="gold"))
    newer = follow_up(set_(genesys, newest, seconds=1, tier="silver"))
    genesys.show()
    seen = confirm_attributes(older, systems(genesys, newest))
    assert (seen.detail["confirmed"], seen.detail["superseded"]) == ([], ["tier"])
    assert confirm_attributes(newer, systems(genesys, newest)).detail["confirmed"] == ["tier"]


def test_a_value_another_and_the_first_again_end_with_the_first(
    genesys: Accepting, newest: FakeNewest
) -> None:
    set_(genesys, newest, tier="gold")
    set_(genesys, newest, seconds=1, tier="tin")
    genesys.show()
    assert genesys.conversations["c"][0].attributes == {"tier": "tin"}


def test_what_was_accepted_long_ago_counts_as_settled(
    genesys: Accepting, newest: FakeNewest
) -> None:
    set_(genesys, newest, tier="gold")
    genesys.show()
    assert set_(genesys, newest, seconds=31, tier="gold").status == "noop"


def test_a_confirmation_runs_apart_from_other_messages_of_its_conversation() -> None:
    message = ConfirmAttributes(
        conversation_id="c", participant_id="p", attributes={"a": "b"}, occurred_at=NOON
    )
    assert OPERATION.locks(message) == ("conversation:c",)
    assert "'b'" not in repr(message)
