"""Setting participant attributes: every row of the guide's table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from tasks import attributes, errors
from tasks.apis.genesys import Genesys, Participant
from tasks.apis.systems import Systems
from tasks.attributes import OPERATION
from tasks.mapping import SyncRules
from tasks.messages import SetAttributes
from tasks.operations import Outcome
from tests.unit.tasks.fakes import (
    FakeGenesys,
    FakeNewest,
    forbidden,
    not_found,
    outcome_unknown,
    state_changed,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = NOON + SECOND


def participant(
    participant_id: str,
    state: str = "connected",
    type_: str = "user",
    attributes: Mapping[str, object] | None = None,
) -> Participant:
    return Participant(
        id=participant_id,
        roles=frozenset({type_}),
        state=state,
        attributes=attributes or {},
        last_updated="2026-05-01T11:59:00.000Z",
    )


def systems(genesys: FakeGenesys, newest: FakeNewest, at: datetime = NOON) -> Systems:
    return Systems(
        genesys=cast(Genesys, genesys),
        customers=None,
        sync=SyncRules(),
        newest=newest,
        started=newest.first_claim,
        now=lambda: at,
    )


def set_attributes(asked: SetAttributes, genesys: FakeGenesys, newest: FakeNewest) -> Outcome:
    return attributes.set_attributes(asked, systems(genesys, newest))


def genesys_with(*participants: Participant) -> FakeGenesys:
    return FakeGenesys(conversations={"conversation": list(participants)})


def message(attributes: dict[str, str] | None = None, **fields: Any) -> SetAttributes:
    return SetAttributes(
        conversation_id="conversation", attributes=attributes or {"tier": "gold"}, **fields
    )


@pytest.fixture
def newest() -> FakeNewest:
    return FakeNewest(first_claim=NOON)


@pytest.mark.parametrize(
    ("participants", "type_", "chosen"),
    [
        pytest.param(
            [participant("a", "ringing"), participant("b", "connected")],
            "user",
            "b",
            id="connected comes before ringing",
        ),
        pytest.param(
            [participant("a"), participant("b")], "user", "a", id="the first of two connected"
        ),
        pytest.param(
            [participant("a", "disconnected"), participant("b", "ringing")],
            "user",
            "b",
            id="ringing where none is connected",
        ),
        pytest.param(
            [participant("a", "connected", "customer"), participant("b", "ringing")],
            "user",
            "b",
            id="another type is passed over",
        ),
        pytest.param(
            [participant("a"), participant("b", "connected", "customer")],
            "customer",
            "b",
            id="the type the message asks for",
        ),
        pytest.param(
            [participant("a", "dialing"), participant("b", "held"), participant("c", "connected")],
            "user",
            "c",
            id="dialing and held take none",
        ),
    ],
)
def test_the_first_live_participant_of_the_type_is_chosen_and_named(
    newest: FakeNewest, participants: list[Participant], type_: str, chosen: str
) -> None:
    outcome = set_attributes(message(participant_type=type_), genesys_with(*participants), newest)
    assert outcome.detail["participant_id"] == chosen


@pytest.mark.parametrize("state", ["disconnected", "dialing", "terminated", ""])
def test_without_a_live_participant_the_message_is_rejected(newest: FakeNewest, state: str) -> None:
    genesys = genesys_with(participant("a", state))
    with pytest.raises(errors.Rejected, match=r"^participant_type: no user is connected or"):
        set_attributes(message(), genesys, newest)
    assert "set_attributes" not in genesys.verbs()


def test_a_participant_that_the_message_names_is_read_alone(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"), participant("b"))
    outcome = set_attributes(message(participant_id="b"), genesys, newest)
    assert outcome.detail["participant_id"] == "b"
    assert genesys.verbs() == ["read_participant", "set_attributes", "read_participant"]


def test_an_ended_conversation_is_not_found(newest: FakeNewest) -> None:
    with pytest.raises(errors.NotFound):
        set_attributes(message(), FakeGenesys(), newest)


def test_keys_are_merged_and_confirmed_by_reading_back(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"tier": "silver", "lang": "de"}))
    outcome = set_attributes(message({"tier": "gold", "topic": "billing"}), genesys, newest)
    assert outcome.status == "done"
    assert outcome.detail == {
        "participant_id": "a",
        "confirmed": ["tier", "topic"],
        "unconfirmed": [],
        "unchanged": [],
        "superseded": [],
    }
    assert genesys.conversations["conversation"][0].attributes == {
        "tier": "gold",
        "lang": "de",
        "topic": "billing",
    }


def test_a_key_that_another_writer_changed_at_once_is_not_confirmed(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))

    def foreign_write() -> None:
        genesys.conversations["conversation"] = [participant("a", attributes={"tier": "tin"})]

    genesys.after["set_attributes"] = foreign_write
    outcome = set_attributes(message({"tier": "gold", "lang": "de"}), genesys, newest)
    assert outcome.detail["confirmed"] == []
    assert outcome.detail["unconfirmed"] == ["lang", "tier"]


@pytest.mark.parametrize(
    "error",
    [
        not_found(),
        forbidden("conversation:read"),
        outcome_unknown(),
        errors.RateLimited(retry_after=5, system="genesys", method="GET", route="/", status=429),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_was_written_but_cannot_be_read_back_is_done_and_unconfirmed(
    newest: FakeNewest, error: errors.ApiError
) -> None:
    genesys = genesys_with(participant("a"))
    genesys.refusals["read_participant"] = error
    outcome = set_attributes(message(), genesys, newest)
    assert outcome.status == "done"
    assert (outcome.detail["confirmed"], outcome.detail["unconfirmed"]) == ([], ["tier"])
    assert genesys.verbs().count("set_attributes") == 1


def test_only_values_that_differ_are_written(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"tier": "gold"}))
    outcome = set_attributes(message({"tier": "gold", "lang": "de"}), genesys, newest)
    assert ("set_attributes", "a", "lang") in genesys.calls
    assert outcome.detail["unchanged"] == ["tier"]


def test_a_redelivered_message_writes_nothing(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))
    set_attributes(message(), genesys, newest)
    outcome = set_attributes(message(), genesys, newest)
    assert outcome.status == "noop"
    assert genesys.verbs().count("set_attributes") == 1


def test_a_value_then_another_then_the_first_again_ends_with_the_first(
    newest: FakeNewest,
) -> None:
    genesys = genesys_with(participant("a"))
    for value in ("gold", "silver", "gold"):
        set_attributes(message({"tier": value}), genesys, newest)
    assert genesys.conversations["conversation"][0].attributes == {"tier": "gold"}


@pytest.mark.parametrize(
    ("value_length", "fits"), [(1024 - len('{"old":"","key":""}') - 500, True), (506, False)]
)
def test_the_merged_map_may_hold_1_kb(newest: FakeNewest, value_length: int, fits: bool) -> None:
    genesys = genesys_with(participant("a", attributes={"old": "x" * 500}))
    sent = message({"key": "y" * value_length})
    if fits:
        assert set_attributes(sent, genesys, newest).status == "done"
        return
    with pytest.raises(errors.Rejected, match="would be 1,025 bytes, at most 1,024"):
        set_attributes(sent, genesys, newest)
    assert "set_attributes" not in genesys.verbs()


def test_the_size_counts_bytes_of_utf_8_and_not_characters(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"old": "ж" * 300}))
    with pytest.raises(errors.Rejected, match="attributes: the participant's merged map"):
        set_attributes(message({"key": "ж" * 300}), genesys, newest)


def test_a_replaced_value_does_not_count_twice(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"key": "x" * 1000}))
    assert set_attributes(message({"key": "y" * 1000}), genesys, newest).status == "done"


def test_numbers_and_odd_texts_of_other_writers_do_not_disturb_the_size(
    newest: FakeNewest,
) -> None:
    odd = {"score": Decimal("1.50"), "broken": "\ud800", "none": None}
    genesys = genesys_with(participant("a", attributes=odd))
    assert set_attributes(message(), genesys, newest).status == "done"


def test_an_older_message_never_overwrites_a_newer_value(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))
    set_attributes(message({"tier": "gold"}, occurred_at=LATER), genesys, newest)
    outcome = set_attributes(
        message({"tier": "silver", "lang": "de"}, occurred_at=NOON), genesys, newest
    )
    assert outcome.detail["superseded"] == ["tier"]
    assert outcome.detail["confirmed"] == ["lang"]
    assert genesys.conversations["conversation"][0].attributes == {"tier": "gold", "lang": "de"}


def test_a_superseded_value_keeps_the_moment_of_the_newer_one(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))
    moments = {"gold": NOON + 2 * SECOND, "tin": NOON, "silver": NOON + SECOND}
    for tier, moment in moments.items():
        set_attributes(message({"tier": tier, tier: "x"}, occurred_at=moment), genesys, newest)
    assert genesys.conversations["conversation"][0].attributes["tier"] == "gold"


def test_a_message_that_is_superseded_in_all_keys_is_a_noop(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))
    set_attributes(message(occurred_at=LATER), genesys, newest)
    outcome = set_attributes(message({"tier": "tin"}, occurred_at=NOON), genesys, newest)
    assert outcome.status == "noop"
    assert genesys.verbs().count("set_attributes") == 1


def test_one_participants_values_do_not_supersede_anothers(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"), participant("b"))
    set_attributes(message(participant_id="a", occurred_at=LATER), genesys, newest)
    outcome = set_attributes(message(participant_id="b", occurred_at=NOON), genesys, newest)
    assert outcome.status == "done"


def test_a_value_that_is_so_already_counts_as_written_at_its_moment(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"tier": "gold"}))
    set_attributes(message({"tier": "gold"}, occurred_at=LATER), genesys, newest)
    set_attributes(message({"tier": "silver"}, occurred_at=NOON), genesys, newest)
    assert genesys.conversations["conversation"][0].attributes == {"tier": "gold"}


def test_a_message_without_a_moment_counts_with_its_first_claim() -> None:
    genesys = genesys_with(participant("a"))
    newest = FakeNewest(first_claim=NOON)
    set_attributes(message({"tier": "gold"}, occurred_at=LATER), genesys, newest)
    assert set_attributes(message({"tier": "tin"}), genesys, newest).status == "noop"


@pytest.mark.parametrize("error", [state_changed(), outcome_unknown()])
def test_what_was_not_written_is_not_remembered(newest: FakeNewest, error: errors.ApiError) -> None:
    genesys = genesys_with(participant("a"))
    genesys.refusals["set_attributes"] = error
    with pytest.raises(type(error)):
        set_attributes(message(), genesys, newest)
    assert newest.moments == {}


def test_after_a_conflict_the_next_try_decides_on_what_it_reads(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a"))
    genesys.refusals["set_attributes"] = state_changed()
    with pytest.raises(errors.StateChanged):
        set_attributes(message(), genesys, newest)
    genesys.refusals.clear()
    genesys.conversations["conversation"] = [participant("a", attributes={"tier": "gold"})]
    assert set_attributes(message(), genesys, newest).status == "noop"


def test_the_outcome_quotes_no_value(newest: FakeNewest) -> None:
    genesys = genesys_with(participant("a", attributes={"mail": "ann@example.com"}))
    outcome = set_attributes(message({"phone": "555-0100"}), genesys, newest)
    assert "555" not in repr(outcome)
    assert "ann@" not in repr(outcome)


def test_messages_of_one_conversation_run_one_at_a_time() -> None:
    assert OPERATION.locks(message()) == ("conversation:conversation",)


def _beaten_by(genesys: FakeGenesys, attributes: dict[str, str]) -> None:
    """Let the next write meet a 409, because somebody else has just written `attributes`."""
    refusals = genesys.refusals
    refusals["set_attributes"] = state_changed()

    def others_write() -> None:
        (before,) = genesys.conversations["conversation"]
        merged = {**before.attributes, **attributes}
        moment = LATER.isoformat()
        genesys.conversations["conversation"][0] = replace(
            before, attributes=merged, last_updated=moment
        )

    genesys.after["participants"] = others_write


def test_after_a_409_a_message_older_than_the_other_writer_leaves_their_value_alone(
    newest: FakeNewest,
) -> None:
    genesys = genesys_with(participant("a"))
    _beaten_by(genesys, {"tier": "silver"})
    asked = message({"tier": "gold", "vip": "yes"}, occurred_at=NOON)
    with pytest.raises(errors.StateChanged):
        set_attributes(asked, genesys, newest)
    genesys.refusals.clear()
    outcome = set_attributes(asked, genesys, newest)
    assert outcome.detail["superseded"] == ["tier"]
    (after,) = genesys.conversations["conversation"]
    assert after.attributes == {"tier": "silver", "vip": "yes"}


@pytest.mark.parametrize("occurred_at", [None, LATER + SECOND], ids=["undated", "newer"])
def test_after_a_409_any_other_message_is_written_over_their_value(
    newest: FakeNewest, occurred_at: datetime | None
) -> None:
    genesys = genesys_with(participant("a"))
    _beaten_by(genesys, {"tier": "silver", "theirs": "kept"})
    asked = message({"tier": "gold"}, occurred_at=occurred_at)
    with pytest.raises(errors.StateChanged):
        set_attributes(asked, genesys, newest)
    genesys.refusals.clear()
    assert set_attributes(asked, genesys, newest).detail["confirmed"] == ["tier"]
    (after,) = genesys.conversations["conversation"]
    assert after.attributes == {"tier": "gold", "theirs": "kept"}
