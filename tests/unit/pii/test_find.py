"""Personal data is found, and what only looks like it stays: by labelled cases."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from tasks.pii import ENTITIES, Finding, find, redact, replace
from tests.unit.pii import found, stays

_MARKED = re.compile("«([^»]*)»")


def _lines(cases: dict[str, str]) -> list[tuple[str, str]]:
    return [(entity, line) for entity, text in cases.items() for line in text.strip().split("\n")]


@pytest.mark.parametrize(("entity", "marked"), _lines(found.CASES))
def test_personal_data_is_found_to_the_character(entity: str, marked: str) -> None:
    text = _MARKED.sub(r"\1", marked)
    values = [(each.entity, text[each.start : each.end]) for each in find(text)]
    assert values == [(entity, value) for value in _MARKED.findall(marked)]
    assert redact(text) == _MARKED.sub("[REDACTED]", marked)


@pytest.mark.parametrize(("_entity", "text"), _lines(stays.CASES))
def test_what_only_looks_like_it_stays(_entity: str, text: str) -> None:
    assert find(text) == []
    assert redact(text) == text


@pytest.mark.parametrize("entity", ENTITIES)
def test_each_entity_has_enough_near_misses(entity: str) -> None:
    assert len(set(stays.CASES[entity].strip().split("\n"))) >= 40


def test_phones_of_many_countries_are_among_the_cases() -> None:
    countries = re.findall(r"^[A-Z]{2}\b", found.PHONES, re.MULTILINE)
    assert len(set(countries)) >= 25


def test_only_the_entities_asked_for_are_found() -> None:
    text = "ann@example.com, +44 20 7946 0958"
    assert [each.entity for each in find(text)] == ["email", "phone"]
    assert redact(text, ["phone"]) == "ann@example.com, [REDACTED]"


def test_a_number_inside_of_an_address_is_none_of_its_own() -> None:
    assert find("2125550100@example.com", ["phone"]) == []


@pytest.mark.parametrize("card", ["4111111111111111", "4111 1111 1111 1112"])
@pytest.mark.parametrize("other", ["ann@example.com", "192.0.2.17", "GB29NWBK60161331926819"])
def test_a_card_beside_another_value_is_found(card: str, other: str) -> None:
    assert redact(f"{card} {other}") == "[REDACTED] [REDACTED]"


def test_words_of_an_address_say_nothing_of_a_number() -> None:
    assert redact("order@example.com 415-555-0100") == "[REDACTED] [REDACTED]"


class _Words:
    """Finds each word given, as `member`."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def find(self, text: str, asked: str | None) -> Iterable[Finding]:
        del asked
        for word in self._words:
            for match in re.finditer(re.escape(word), text):
                yield Finding(start=match.start(), end=match.end(), entity="member")


@pytest.mark.parametrize(
    ("word", "entity"),
    [
        ("M-77", "member"),
        ("415-555-0100", "phone"),
        ("555", "phone"),
        ("call 415-555-0100", "member"),
    ],
)
def test_of_overlapping_findings_the_longest_counts_and_of_equal_ones_the_built_in(
    word: str, entity: str
) -> None:
    text = f"call 415-555-0100 {'M-77' if word == 'M-77' else ''}"
    assert entity in [each.entity for each in find(text, also=[_Words(word)])]
    assert sum(each.entity == "phone" for each in find(text, also=[_Words(word)])) == (
        word != "call 415-555-0100"
    )


def test_further_detectors_look_at_texts_without_a_digit() -> None:
    assert [each.entity for each in find("I am Ann", also=[_Words("Ann")])] == ["member"]
    assert find("I am Ann", ["phone"], also=[_Words("Ann")]) == []


def test_a_placeholder_may_tell_entity_and_value() -> None:
    text = "call 415-555-0100 or ann@example.com"
    shown = replace(text, find(text), lambda each, value: f"<{each.entity}:{len(value)}>")
    assert shown == "call <phone:12> or <email:15>"
