"""What a target asks of names, lengths and values, told before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.apis.customers import CustomerAttribute, Definition, NameRule, Shape
from tasks.apis.cxone_guide import SHAPE as GUIDE
from tasks.errors import Rejected
from tasks.mapping import FieldRule, Mapped, SyncRules, map_attributes
from tasks.target_rules import field_key, missing_fields
from tasks.wire_values import on_the_wire

TEXTS = replace(GUIDE, target="cxone", types=frozenset({"string"}), names_fold_case=False)
WORDS = replace(
    GUIDE,
    target="cognigy",
    types=frozenset({"string", "number", "boolean"}),
    longest=None,
    name_rule=NameRule(pattern=re.compile(r"[A-Za-z0-9_]+"), sentence="may hold word letters only"),
)

DEFINITIONS = {
    each.name: each
    for each in (
        Definition(name="number", type="text", required=True),
        Definition(name="city", type="text"),
        Definition(name="mail", type="email"),
        Definition(name="tier", type="list", values=frozenset({"gold", "tin"})),
        Definition(name="newsletter", type="list", values=frozenset({"true", "false"})),
        Definition(name="cases", type="list", values=frozenset({"0", "1"})),
    )
}


def mapped(
    source: dict[str, object],
    shape: Shape,
    definitions: Mapping[str, Definition] | None = None,
    **rules: Any,
) -> Mapped:
    return map_attributes(source, SyncRules(**rules), shape, definitions)


def problems(
    source: dict[str, object],
    shape: Shape,
    definitions: Mapping[str, Definition] | None = None,
    **rules: Any,
) -> list[str]:
    with pytest.raises(Rejected) as caught:
        mapped(source, shape, definitions, **rules)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix("attributes: ").split("; ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "00123"),
        ("number", 7),
        ("city", ""),
        ("mail", "ann@example.com"),
        ("mail", "ann.o'b+x@mail.example.co.uk"),
        ("tier", "gold"),
        ("newsletter", True),
        ("newsletter", "TRUE"),
        ("cases", 1),
        ("cases", "0"),
    ],
)
def test_a_value_that_agrees_with_its_definition_is_sent(name: str, value: object) -> None:
    assert [each.name for each in mapped({name: value}, TEXTS, DEFINITIONS).attributes] == [name]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("number", "", "is empty, and the target requires 'number'"),
        ("mail", "", "is not an e-mail address"),
        ("mail", "ann", "is not an e-mail address"),
        ("mail", "ann@example", "is not an e-mail address"),
        ("mail", "ann@example..com", "is not an e-mail address"),
        ("mail", "ann@example.com.", "is not an e-mail address"),
        ("mail", "@example.com", "is not an e-mail address"),
        ("mail", "ann@b@example.com", "is not an e-mail address"),
        ("mail", "Ann <ann@example.com>", "is not an e-mail address"),
        ("mail", "ann@example.com\n", "is not an e-mail address"),
        ("tier", "Gold", "is none of the 2 values of 'tier'"),
        ("tier", "gold ", "is none of the 2 values of 'tier'"),
        ("tier", "", "is none of the 2 values of 'tier'"),
        ("newsletter", "yes", "is none of the 2 values of 'newsletter'"),
        ("cases", "01", "is none of the 2 values of 'cases'"),
        ("City", "Bonn", "maps to 'City', which the target does not define"),
        (" city", "Bonn", "maps to ' city', which the target does not define"),
        ("city", "x" * 1025, "is longer than the target's 1,024 characters"),
    ],
)
def test_a_value_that_its_definition_does_not_take_is_a_problem(
    name: str, value: str, problem: str
) -> None:
    assert problems({name: value}, TEXTS, DEFINITIONS) == [f"{name!r} {problem}"]


def test_everything_the_target_has_against_a_contact_is_told_at_once_and_no_value_is() -> None:
    source: dict[str, object] = {
        "Town": "x" * 1_025,
        "mail": "ann at example",
        "tier": "platinum",
        "City": "Bonn",
        "age": "secret",
        "tags": ["secret"],
        "twin": "secret",
    }
    fields = {
        "Town": FieldRule(target="city"),
        "twin": FieldRule(target="city"),
        "age": FieldRule(target="years", type="number"),
        "id": FieldRule(target="number", required=True),
    }
    assert problems(source, TEXTS, DEFINITIONS, fields=fields) == [
        "'id' is required and missing",
        "'Town' and 'twin' both map to 'city'",
        "'Town' is longer than the target's 1,024 characters",
        "'mail' is not an e-mail address",
        "'tier' is none of the 2 values of 'tier'",
        "'City' maps to 'City', which the target does not define",
        "'age' maps to 'years', which the target does not define",
        "'age' is not a number",
        "'tags' maps to 'tags', which the target does not define",
        "'tags' is neither text, number nor boolean",
    ]


def test_what_is_left_out_is_held_against_no_definition() -> None:
    source: dict[str, object] = {"city": "Bonn", "tier": None, "mail": "x", "other": "y"}
    fields = {"city": FieldRule(), "mail": FieldRule(drop=True)}
    found = mapped(source, TEXTS, DEFINITIONS, fields=fields, unmapped="ignore")
    assert [each.name for each in found.attributes] == ["city"]
    assert found.left_out == ("tier", "mail", "other")


def test_a_target_without_definitions_takes_any_field() -> None:
    assert len(mapped({"anything": "x", "else": "y"}, TEXTS).attributes) == 2


def test_a_target_that_defines_no_field_takes_none() -> None:
    assert problems({"a": "x"}, TEXTS, {}) == ["'a' maps to 'a', which the target does not define"]


@pytest.mark.parametrize("name", ["tier", "TIER_2", "_", "0"])
def test_a_name_of_the_targets_own_letters_is_taken(name: str) -> None:
    assert mapped({name: "x"}, WORDS).attributes[0].name == name


@pytest.mark.parametrize("name", ["loyalty tier", "tier ", "tier-2", "größe", "a.b", "tier\n", "٣"])
def test_a_name_that_the_target_cannot_have_is_a_problem(name: str) -> None:
    assert problems({name: "x"}, WORDS) == [
        f"{name!r} maps to {name!r}, which may hold word letters only"
    ]


def test_a_rule_gives_a_dirty_name_one_that_the_target_can_have() -> None:
    rules = {" Loyalty (Tier)": FieldRule(target="loyalty_tier")}
    assert (
        mapped({" Loyalty (Tier)": "x"}, WORDS, fields=rules).attributes[0].name == "loyalty_tier"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tier", "tier", True),
        (" tier ", "tier", True),
        ("home  town", "Home Town", True),
        ("STRASSE", "straße", True),
        ("caf\u00e9", "CAFE\u0301", True),
        ("\u03b1\u0345\u0301", "\u1fb4", True),
        ("tier", "tier2", False),
        ("home town", "hometown", False),
    ],
)
def test_names_are_one_field_only_where_the_target_folds_them(
    one: str, other: str, same: bool
) -> None:
    assert (field_key(one, GUIDE) == field_key(other, GUIDE)) is same
    assert field_key(one, TEXTS) != field_key(other, TEXTS)


def test_names_that_differ_in_case_collide_where_the_target_folds_it() -> None:
    source: dict[str, object] = {"Tier": "a", "tier": "b"}
    assert problems(source, WORDS) == ["'Tier' and 'tier' both map to 'tier'"]
    assert len(mapped(source, TEXTS).attributes) == 2


def test_two_sources_of_one_field_collide_for_every_target() -> None:
    rules = {"a": FieldRule(target="x"), "b": FieldRule(target="x")}
    for shape in (GUIDE, TEXTS, WORDS):
        assert problems({"a": "1", "b": "2"}, shape, fields=rules) == [
            "'a' and 'b' both map to 'x'"
        ]


def test_of_three_names_for_one_field_each_is_named() -> None:
    source: dict[str, object] = {"Tier": "a", "tier": "b", "TIER": "c"}
    assert problems(source, WORDS) == [
        "'Tier' and 'tier' both map to 'tier'",
        "'Tier' and 'TIER' both map to 'TIER'",
    ]


@pytest.mark.parametrize(
    ("value", "rule"),
    [("12.5", FieldRule(type="number")), (2**53, FieldRule(type="number"))],
)
def test_a_number_that_is_asked_for_and_that_the_target_has_not_is_a_problem(
    value: object, rule: FieldRule
) -> None:
    assert problems({"a": value}, WORDS, fields={"a": rule}) == [
        "'a' is a number that the target does not have: too large, or a fraction"
    ]
    assert mapped({"a": value}, WORDS).attributes[0].type == "number"
    assert mapped({"a": value}, TEXTS, fields={"a": rule}).attributes[0].type == "number"


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("-12.5", True),
        ("-12.50", False),
        ("1.23E-2", False),
        (False, True),
        (Decimal("1E+9"), False),
    ],
)
def test_the_longest_length_of_a_rule_counts_a_value_as_text(value: object, fits: bool) -> None:
    rules = {"a": FieldRule(max_length=5)}
    if fits:
        assert mapped({"a": value}, GUIDE, fields=rules).attributes
    else:
        assert problems({"a": value}, GUIDE, fields=rules) == ["'a' is longer than 5 characters"]


def test_fields_that_the_target_requires_are_missing_by_name() -> None:
    required = {
        name: Definition(name=name, type="text", required=name != "c") for name in ("c", "b", "a")
    }
    assert missing_fields({"b"}, required) == ["a"]
    assert missing_fields((), required) == ["a", "b"]
    assert missing_fields({"a", "b"}, required) == []


@pytest.mark.parametrize(
    "other", [{"target": "x"}, {"type": "number"}, {"max_length": 3}, {"required": True}]
)
def test_a_dropped_field_has_no_other_setting(other: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="drop: goes with no other setting"):
        FieldRule(drop=True, **other)
    assert FieldRule(drop=False, **other)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(),
    st.text(alphabet="x", min_size=1020, max_size=1030),
)
names = st.one_of(st.text(), st.sampled_from([*DEFINITIONS, "City", "TIER", "tier "]))


def sent_or_refused(
    source: dict[str, object], shape: Shape, definitions: Mapping[str, Definition] | None
) -> tuple[CustomerAttribute, ...] | str:
    try:
        return mapped(source, shape, definitions).attributes
    except Rejected as error:
        return str(error)


@pytest.mark.parametrize("definitions", [None, DEFINITIONS], ids=["any field", "defined fields"])
@pytest.mark.parametrize("shape", [GUIDE, TEXTS, WORDS], ids=lambda shape: shape.target)
@given(source=st.dictionaries(names, values))
def test_what_is_sent_is_what_the_target_takes_and_all_else_is_refused_in_one_line(
    shape: Shape, definitions: Mapping[str, Definition] | None, source: dict[str, object]
) -> None:
    sent = sent_or_refused(source, shape, definitions)
    if isinstance(sent, str):
        assert "\n" not in sent
        return
    assert len(sent) == len({field_key(each.name, shape) for each in sent})
    assert {each.name for each in sent} == {name for name in source if source[name] is not None}
    for each in sent:
        wire = on_the_wire(each, shape)
        assert not isinstance(wire, str) or len(wire) <= (shape.longest or len(wire))
        assert shape.name_rule is None or shape.name_rule.pattern.fullmatch(each.name)
        assert definitions is None or each.name in definitions
