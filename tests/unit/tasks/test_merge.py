"""Merging guest profiles: every row of the guide's table."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import errors
from tasks.apis.capabilities import GUIDE, PLATFORM, Capabilities
from tasks.apis.genesys import Consent
from tasks.merge import OPERATION, aggregate_consents, check, merge_profiles
from tasks.messages import MergeProfiles
from tests.unit.tasks.fakes import FakeGenesys, Locks, forbidden, outcome_unknown, state_changed


@pytest.fixture
def genesys() -> FakeGenesys:
    fake = FakeGenesys()
    fake.add_profile("target", email="ann@example.com", tier="gold")
    fake.add_profile("first", email="ann@example.com", phone="555")
    fake.add_profile("second", email="bob@example.com", tier="silver")
    return fake


def message(*sources: str, **fields: Any) -> MergeProfiles:
    return MergeProfiles(
        source_profile_ids=list(sources) or ["first", "second"],
        target_profile_id="target",
        **fields,
    )


def test_all_profiles_and_their_consents_are_read_before_the_merge(genesys: FakeGenesys) -> None:
    merge_profiles(message(), genesys)
    assert genesys.calls == [
        ("read_profile", "target"),
        ("read_profile", "first"),
        ("read_profile", "second"),
        ("read_consents", "target"),
        ("read_consents", "first"),
        ("read_consents", "second"),
        ("merge", "target", "first", "second", "target_wins"),
    ]


def test_the_outcome_names_the_survivor_and_what_was_merged(genesys: FakeGenesys) -> None:
    outcome = merge_profiles(message(), genesys)
    assert outcome.status == "done"
    assert outcome.detail == {
        "profile_id": "target",
        "merged": ["first", "second"],
        "linked": [],
    }
    assert genesys.profiles["target"].links == {"first", "second"}


@pytest.mark.parametrize("policy", ["target_wins", "source_wins", "custom"])
def test_the_policy_is_sent_as_it_is(genesys: FakeGenesys, policy: str) -> None:
    merge_profiles(message("first", merge_policy=policy), genesys)
    assert genesys.calls[-1] == ("merge", "target", "first", policy)


@pytest.mark.parametrize(
    ("missing", "field"),
    [("target", "target_profile_id"), ("second", "source_profile_ids")],
)
def test_an_unknown_profile_is_rejected_by_field_and_id(
    genesys: FakeGenesys, missing: str, field: str
) -> None:
    del genesys.profiles[missing]
    with pytest.raises(errors.Rejected, match=f"^{field}: there is no profile {missing}$"):
        merge_profiles(message(), genesys)
    assert "merge" not in genesys.verbs()


def test_a_missing_scope_is_no_unknown_profile(genesys: FakeGenesys) -> None:
    genesys.refusals["read_profile"] = forbidden("identity:profile:read")
    with pytest.raises(errors.Forbidden, match="identity:profile:read"):
        merge_profiles(message(), genesys)


def test_a_linked_source_is_left_out_of_the_merge(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", links=["first"])
    outcome = merge_profiles(message(), genesys)
    assert genesys.calls[-1] == ("merge", "target", "second", "target_wins")
    assert outcome.detail == {"profile_id": "target", "merged": ["second"], "linked": ["first"]}


def test_a_source_that_came_with_another_source_is_linked_too(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", links=["first"])
    genesys.add_profile("first", links=["second"])
    outcome = merge_profiles(message(), genesys)
    assert outcome.status == "noop"
    assert outcome.detail["linked"] == ["first", "second"]


def test_a_redelivered_merge_makes_no_second_call(genesys: FakeGenesys) -> None:
    merge_profiles(message(), genesys)
    outcome = merge_profiles(message(), genesys)
    assert outcome.status == "noop"
    assert outcome.detail == {
        "profile_id": "target",
        "merged": [],
        "linked": ["first", "second"],
    }
    assert genesys.verbs().count("merge") == 1


def test_a_merge_that_took_effect_without_an_answer_is_found_and_recorded(
    genesys: FakeGenesys,
) -> None:
    def lose_the_answer() -> None:
        raise outcome_unknown()

    genesys.consents["first"] = [Consent(purpose="marketing", status="denied")]
    genesys.after["merge"] = lose_the_answer
    with pytest.raises(errors.OutcomeUnknown):
        merge_profiles(message(), genesys)
    outcome = merge_profiles(message(), genesys)
    assert genesys.verbs().count("merge") == 1
    assert outcome.record["consents"] == {"marketing": "denied"}


def test_a_target_full_of_attributes_does_not_stop_a_merge_that_is_done(
    genesys: FakeGenesys,
) -> None:
    genesys.add_profile("target", links=["first"], **{f"a{n}": n for n in range(60)})
    assert merge_profiles(message("first"), genesys).status == "noop"


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"first": ["target"]}, id="the source holds the target"),
        pytest.param({"first": ["second"], "second": ["target"]}, id="by way of another source"),
        pytest.param({"target": ["first"], "first": ["target"]}, id="each holds the other"),
    ],
)
def test_a_link_cycle_is_rejected(genesys: FakeGenesys, links: dict[str, list[str]]) -> None:
    for profile_id, linked in links.items():
        genesys.add_profile(profile_id, links=linked)
    with pytest.raises(errors.Rejected, match=r"^source_profile_ids: .* a cycle$"):
        merge_profiles(message(), genesys)
    assert "merge" not in genesys.verbs()


def test_a_cycle_that_the_target_is_no_part_of_ends(genesys: FakeGenesys) -> None:
    genesys.add_profile("first", links=["second"])
    genesys.add_profile("second", links=["first"])
    with pytest.raises(errors.StateChanged):
        merge_profiles(message(), genesys)


def test_fifty_distinct_attributes_are_merged(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", **{f"a{n}": "x" for n in range(30)})
    genesys.add_profile("first", **{f"a{n}": "y" for n in range(50)})
    assert merge_profiles(message("first"), genesys).status == "done"


@pytest.mark.parametrize("policy", ["target_wins", "source_wins", "custom"])
def test_fifty_one_distinct_attributes_are_rejected_under_any_policy(
    genesys: FakeGenesys, policy: str
) -> None:
    genesys.add_profile("target", **{f"a{n}": "x" for n in range(30)})
    genesys.add_profile("first", **{f"a{n}": "y" for n in range(51)})
    with pytest.raises(errors.Rejected, match="51 custom attributes, at most 50"):
        merge_profiles(message("first", merge_policy=policy), genesys)
    assert "merge" not in genesys.verbs()


def test_attributes_of_a_linked_source_count_only_as_the_target_holds_them(
    genesys: FakeGenesys,
) -> None:
    genesys.add_profile("target", links=["first"], **{f"a{n}": "x" for n in range(49)})
    genesys.add_profile("first", **{f"b{n}": "y" for n in range(20)})
    genesys.add_profile("second", a0="z")
    assert merge_profiles(message(), genesys).detail["merged"] == ["second"]


def test_a_conflict_leaves_and_the_next_try_drops_the_source_linked_meanwhile(
    genesys: FakeGenesys,
) -> None:
    def foreign_merge() -> None:
        genesys.add_profile("target", links=["first"])

    genesys.names_links = False
    genesys.after["read_profile"] = foreign_merge
    with pytest.raises(errors.StateChanged):
        merge_profiles(message(), genesys)
    assert merge_profiles(message(), genesys).detail["merged"] == ["second"]


def test_a_conflict_over_a_merge_that_is_done_ends_as_noop(genesys: FakeGenesys) -> None:
    genesys.refusals["merge"] = state_changed()
    with pytest.raises(errors.StateChanged):
        merge_profiles(message("first"), genesys)
    genesys.add_profile("target", links=["first"])
    assert merge_profiles(message("first"), genesys).status == "noop"


def test_a_source_that_came_along_a_chain_of_merges_ends_as_noop(genesys: FakeGenesys) -> None:
    genesys.add_profile("between", links=["first"])
    genesys.add_profile("target", links=["between"])
    outcome = merge_profiles(message("first"), genesys)
    assert outcome.status == "noop"
    assert outcome.detail == {"profile_id": "target", "merged": [], "linked": ["first"]}
    assert genesys.verbs().count("merge") == 1


def test_a_cycle_by_way_of_a_profile_that_nobody_named_is_rejected(genesys: FakeGenesys) -> None:
    genesys.add_profile("between", links=["target"])
    genesys.add_profile("first", links=["between"])
    with pytest.raises(errors.Rejected, match=r"^source_profile_ids: first .* a cycle$"):
        merge_profiles(message(), genesys)
    assert genesys.verbs().count("merge") == 1


def test_sources_linked_along_a_chain_do_not_hold_up_the_others(genesys: FakeGenesys) -> None:
    genesys.add_profile("between", links=["first"])
    genesys.add_profile("target", links=["between"])
    outcome = merge_profiles(message(), genesys)
    assert outcome.detail == {"profile_id": "target", "merged": ["second"], "linked": ["first"]}
    assert genesys.calls[-1] == ("merge", "target", "second", "target_wins")
    assert genesys.verbs().count("merge") == 2


def test_a_source_that_another_one_holds_comes_with_it(genesys: FakeGenesys) -> None:
    genesys.add_profile("between", links=["second"])
    genesys.add_profile("first", links=["between"])
    outcome = merge_profiles(message(), genesys)
    assert outcome.detail == {"profile_id": "target", "merged": ["first"], "linked": ["second"]}


def test_a_source_of_another_profile_is_left_out_and_stays_a_conflict(
    genesys: FakeGenesys,
) -> None:
    genesys.add_profile("stranger", links=["first"])
    genesys.add_profile("third")
    for _ in range(2):
        with pytest.raises(errors.StateChanged):
            merge_profiles(message("first", "second", "third"), genesys)
        assert genesys.profiles["target"].links == {"second", "third"}
    assert genesys.calls[-1] == ("merge", "target", "first", "target_wins")
    assert genesys.verbs().count("merge") == 3


def test_a_source_that_answers_as_the_target_is_linked(genesys: FakeGenesys) -> None:
    genesys.profiles["first"] = genesys.profiles["target"]
    outcome = merge_profiles(message(), genesys)
    assert outcome.detail == {
        "profile_id": "target",
        "merged": ["second"],
        "linked": ["first"],
        "resolved": {"first": "target"},
    }
    assert genesys.verbs().count("read_consents") == 2


def test_a_source_that_answers_as_another_profile_is_no_source_to_be_merged(
    genesys: FakeGenesys,
) -> None:
    genesys.add_profile("stranger", links=["first"])
    genesys.profiles["first"] = genesys.profiles["stranger"]
    genesys.names_links = False
    with pytest.raises(errors.StateChanged):
        merge_profiles(message(), genesys)
    assert genesys.profiles["target"].links == {"second"}


def test_no_more_than_a_merge_set_is_read_to_follow_links(genesys: FakeGenesys) -> None:
    for n in range(100):
        genesys.add_profile(f"link-{n}", links=[f"link-{n + 1}"])
    genesys.add_profile("target", links=["link-0"])
    genesys.add_profile("stranger", links=["first"])
    with pytest.raises(errors.StateChanged):
        merge_profiles(message("first"), genesys)
    assert genesys.verbs().count("read_profile") == 52


def test_a_linked_profile_that_is_gone_ends_its_chain(genesys: FakeGenesys) -> None:
    genesys.add_profile("between", links=["gone", "first"])
    genesys.add_profile("target", links=["between"])
    assert merge_profiles(message("first"), genesys).status == "noop"
    assert ("read_profile", "gone") in genesys.calls


def test_a_rule_that_the_api_finds_broken_is_final_as_it_is(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", **{f"a{n}": "x" for n in range(48)})

    def foreign_write() -> None:
        genesys.add_profile("target", **{f"a{n}": "x" for n in range(51)})

    genesys.after["read_profile"] = foreign_write
    with pytest.raises(errors.Unprocessable, match=r"attribute\.limit\.exceeded"):
        merge_profiles(message("first", merge_policy="custom"), genesys)


@pytest.mark.parametrize(
    ("statuses", "strictest"),
    [
        (["granted"], "granted"),
        (["granted", "unknown"], "unknown"),
        (["unknown", "expired"], "expired"),
        (["expired", "withdrawn", "granted"], "withdrawn"),
        (["withdrawn", "denied"], "denied"),
        (["denied", "granted"], "denied"),
        (["granted", "a status nobody knows"], "denied"),
    ],
)
def test_the_most_restrictive_consent_wins(statuses: list[str], strictest: str) -> None:
    consents = [Consent(purpose="marketing", status=status) for status in statuses]
    assert aggregate_consents(consents) == {"marketing": strictest}


def test_consents_are_aggregated_per_purpose_over_all_profiles(genesys: FakeGenesys) -> None:
    genesys.consents = {
        "target": [Consent(purpose="marketing", status="granted")],
        "second": [
            Consent(purpose="marketing", status="denied"),
            Consent(purpose="recording", status="granted"),
        ],
    }
    outcome = merge_profiles(message(), genesys)
    assert outcome.record["consents"] == {"marketing": "denied", "recording": "granted"}


def test_profiles_without_consents_are_recorded_as_such(genesys: FakeGenesys) -> None:
    assert merge_profiles(message(), genesys).record["consents"] == {}


def test_the_record_counts_matching_identities_without_their_values(genesys: FakeGenesys) -> None:
    genesys.add_profile("target", email="ann@example.com", phone="", tier="gold")
    genesys.add_profile("second", email="bob@example.com", phone="", tier="gold")
    outcome = merge_profiles(message(), genesys, identity_attributes=("email", "phone"))
    assert outcome.record["identity_match"] == {"matching": 1, "sources": 2}
    assert "@" not in repr(outcome)


def test_the_record_holds_target_sources_and_policy_however_it_ends() -> None:
    record = OPERATION.subject(message())
    assert record["target"] == "target"
    assert record["sources"] == ["first", "second"]
    assert record["policy"] == "target_wins"


def test_an_announcement_tells_what_was_merged_and_what_was_linked_before(
    genesys: FakeGenesys,
) -> None:
    first, again = (merge_profiles(message(), genesys).announcement for _ in range(2))
    assert first
    assert again
    assert (first["merged"], first["linked"]) == (["first", "second"], [])
    assert (again["merged"], again["linked"]) == ([], ["first", "second"])


@pytest.mark.parametrize(("can", "most"), [(GUIDE, 10), (PLATFORM, 24)])
def test_a_contract_merges_so_many_sources_at_once(can: Capabilities, most: int) -> None:
    sources = [f"s-{number}" for number in range(most)]
    check(message(*sources), can)
    if most < 24:
        with pytest.raises(errors.Rejected, match=f"^source_profile_ids: .* at most {most} into"):
            check(message(*sources, "s-last"), can)


def test_a_policy_of_the_apis_own_is_unsupported_where_it_knows_none() -> None:
    asked = message(merge_policy="custom")
    check(asked, GUIDE)
    with pytest.raises(errors.Unsupported, match="use target_wins or source_wins"):
        check(asked, PLATFORM)


def test_a_merge_locks_every_profile_it_touches() -> None:
    assert set(OPERATION.locks(message())) == {
        "profile:target",
        "profile:first",
        "profile:second",
    }


def test_ids_that_others_stand_behind_are_locked_and_listed(genesys: FakeGenesys) -> None:
    genesys.add_profile("canonical", links=["old"])
    genesys.profiles["target"] = genesys.profiles["canonical"]
    lock = Locks()
    outcome = merge_profiles(message("first"), genesys, lock=lock)
    assert (lock.taken, lock.held) == (["profile:canonical"], set())
    assert outcome.detail["resolved"] == {"target": "canonical"}
    assert genesys.calls[-1] == ("merge", "canonical", "first", "target_wins")


def test_two_messages_that_name_one_profile_by_different_ids_run_one_at_a_time(
    genesys: FakeGenesys,
) -> None:
    genesys.add_profile("canonical", links=["old"])
    genesys.profiles["target"] = genesys.profiles["canonical"]
    with pytest.raises(errors.Postponed, match="profile is in use"):
        merge_profiles(message("first"), genesys, lock=Locks(held={"profile:canonical"}))
    assert "merge" not in genesys.verbs()
