"""One occurrence has one operation id, and two have two."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fields import is_identifier
from workers.bridge.judging import occurrences
from workers.bridge.judging.occurrences import Occurrence

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(categories=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def occurrence(named: Any = "c-1", value: str = "at:5", at: int = 5) -> Occurrence:
    subject = occurrences.subject("sync_profile", "acme", named)
    return Occurrence(subject=subject, value=value, at=at)


def test_an_operation_id_is_the_same_after_every_restart() -> None:
    assert occurrence().operation_id == "event-2c8c470c87ea1a323528c86c39618452"
    assert occurrence(at=9).operation_id == occurrence().operation_id


def test_another_subject_or_another_value_is_another_operation() -> None:
    ids = {
        occurrence().operation_id,
        occurrence("c-2").operation_id,
        occurrence(["c-1"]).operation_id,
        occurrence(value="at:6").operation_id,
        occurrence(value="").operation_id,
        occurrence().again(5),
        occurrence().again(6),
    }
    assert len(ids) == 7
    assert all(map(is_identifier, ids))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("sync_profile", "acme", "c-1"), ("redact_interaction", "acme", "c-1")),
        (("sync_profile", "acme", "c-1"), ("sync_profile", "default", "c-1")),
        (("sync_profile", "acme", ["a", "b"]), ("sync_profile", "acme", ["b", "a"])),
        (("sync_profile", "acme", ["a", "b"]), ("sync_profile", "acme", ["ab"])),
        (("sync_profile", "acme", "1"), ("sync_profile", "acme", 1)),
    ],
)
def test_a_subject_is_of_its_task_and_its_tenant(one: Any, other: Any) -> None:
    assert occurrences.subject(*one) != occurrences.subject(*other)
    assert occurrences.subject(*one) == occurrences.subject(*one)


def test_a_state_is_the_same_in_whatever_order_its_fields_are_told() -> None:
    assert occurrences.of_values({"a": 1, "b": [2]}) == occurrences.of_values({"b": [2], "a": 1})
    assert occurrences.of_values({"a": "1"}) != occurrences.of_values({"a": 1})


@given(st.lists(st.text(st.characters(categories=None)), max_size=5), st.randoms())
def test_a_set_of_ids_is_the_same_in_whatever_order_and_however_often(
    ids: list[str], random: Any
) -> None:
    shuffled = random.sample(ids * 2, len(ids) * 2)
    assert occurrences.of_ids(shuffled) == occurrences.of_ids(ids)


@given(json_values, json_values)
def test_two_values_have_two_digests(one: Any, other: Any) -> None:
    same = repr(_ordered(one)) == repr(_ordered(other))
    assert (occurrences.digest(one) == occurrences.digest(other)) == same


def test_what_occurred_says_of_which_kind_it_is() -> None:
    assert occurrences.of_moment(1_649_237_504_949) == "at:1649237504949"
    assert occurrences.of_values({}).startswith("values:")
    assert occurrences.of_ids([]).startswith("ids:")


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value
