"""The list of log events is that of the source, and no event is prose."""

from __future__ import annotations

import re

import pytest

from tests.support.log_events import COMMON, Documented, Told, documented, told

NAME = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+")
FIELD = re.compile(r"[a-z]+(_[a-z]+)*")

TOLD = told()
EVENTS = [each for each in TOLD if each.event]


def test_every_event_of_the_source_is_listed_and_none_in_vain() -> None:
    assert {each.event for each in EVENTS} == documented().keys()


def test_only_what_passes_an_event_on_names_none() -> None:
    unnamed = [each for each in TOLD if not each.event]
    assert {(each.place.partition(":")[0], each.inside) for each in unnamed} == {
        ("workers/bridge/watching/seldom.py", "info"),
        ("workers/bridge/listening/shard.py", "_tell"),
    }


def test_an_event_is_told_at_the_levels_that_are_listed() -> None:
    levels: dict[str, set[str]] = {}
    for each in EVENTS:
        levels.setdefault(each.event, set()).add(each.level)
    assert levels == {name: set(each.levels) for name, each in documented().items()}


@pytest.mark.parametrize("each", EVENTS, ids=lambda each: each.place)
def test_a_field_that_the_source_names_is_listed(each: Told) -> None:
    assert each.fields <= documented()[each.event].fields


@pytest.mark.parametrize("row", documented().values(), ids=lambda row: row.event)
def test_an_event_is_a_name_and_its_fields_are_names(row: Documented) -> None:
    assert NAME.fullmatch(row.event)
    assert all(FIELD.fullmatch(each) for each in row.fields)
    assert not row.fields & COMMON
