"""Which attributes reach the customer store, and as what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.apis.customers import ValueType
from tasks.compact_json import compact_json
from tasks.errors import Rejected
from tasks.mapping import FieldRule, SyncRules, map_attributes


def sent(source: dict[str, object], **rules: Any) -> dict[str, tuple[str, object]]:
    mapped = map_attributes(source, SyncRules(**rules))
    return {a.name: (a.type, a.value) for a in mapped.attributes}


def problems(source: dict[str, object], **rules: Any) -> str:
    with pytest.raises(Rejected) as caught:
        map_attributes(source, SyncRules(**rules))
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix("attributes: ")


def test_a_rule_renames_and_types_its_attribute() -> None:
    rules = {"Acct Balance": FieldRule(target="balance", type="number")}
    assert sent({"Acct Balance": "12.5"}, fields=rules) == {"balance": ("number", Decimal("12.5"))}


def test_names_are_matched_exactly_with_all_their_dirt() -> None:
    source: dict[str, object] = {" Tier": "a", "Tier [x]": "b"}
    assert sent(source, fields={" Tier": FieldRule(target="tier")}) == {
        "tier": ("string", "a"),
        "Tier [x]": ("string", "b"),
    }


def test_a_rule_for_another_case_is_another_name() -> None:
    assert sent({"TIER": "a"}, fields={"tier": FieldRule(target="x")}) == {"TIER": ("string", "a")}


def test_dropped_null_and_unmapped_attributes_are_left_out_by_name() -> None:
    source: dict[str, object] = {"a": "1", "b": "2", "c": None, "d": "4"}
    fields = {"a": FieldRule(), "b": FieldRule(drop=True), "c": FieldRule()}
    mapped = map_attributes(source, SyncRules(fields=fields, unmapped="ignore"))
    assert [attribute.name for attribute in mapped.attributes] == ["a"]
    assert mapped.left_out == ("b", "c", "d")


@pytest.mark.parametrize(
    ("value", "kind", "typed"),
    [
        ("12500.50", "number", Decimal("12500.50")),
        ("12345678901234567890", "number", Decimal("12345678901234567890")),
        ("00123", "string", "00123"),
        ("12", "string", "12"),
        ("TRUE", "boolean", True),
        ("False", "boolean", False),
        ("2024-02-29", "date", "2024-02-29"),
        ("2024-02-29T10:00:00Z", "date", "2024-02-29T10:00:00Z"),
        (True, "string", "true"),
        (False, "boolean", False),
        (7, "string", "7"),
        (7, "number", Decimal(7)),
        (Decimal("12.50"), "number", Decimal("12.50")),
        (Decimal("12.50"), "string", "12.50"),
        (Decimal("1E+2"), "string", "100"),
    ],
)
def test_a_value_is_converted_as_its_rule_says(
    value: object, kind: ValueType, typed: object
) -> None:
    assert sent({"a": value}, fields={"a": FieldRule(type=kind)}) == {"a": (kind, typed)}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("00123", "number"),
        ("+1", "number"),
        ("1e5", "number"),
        ("nan", "number"),
        ("٣", "number"),
        ("", "number"),
        (True, "number"),
        ("yes", "boolean"),
        ("1", "boolean"),
        (1, "boolean"),
        ("2024-02-30", "date"),
        (20240101, "date"),
    ],
)
def test_a_value_that_is_not_of_its_rules_type_is_a_problem(value: object, kind: ValueType) -> None:
    assert problems({"a": value}, fields={"a": FieldRule(type=kind)}) == f"'a' is not a {kind}"


@pytest.mark.parametrize(
    ("value", "kind", "typed"),
    [
        (True, "boolean", True),
        (7, "number", Decimal(7)),
        (12345678901234567, "number", Decimal(12345678901234567)),
        (Decimal("12500.50"), "number", Decimal("12500.50")),
        (Decimal("1E+999999999"), "number", Decimal("1E+999999999")),
        ("7", "number", Decimal(7)),
        ("0.10", "string", "0.10"),
    ],
)
def test_values_that_json_types_keep_their_type_and_digits(
    value: object, kind: str, typed: object
) -> None:
    assert sent({"a": value}) == {"a": (kind, typed)}
    assert str(sent({"a": value})["a"][1]) == str(typed)


def test_an_absurd_exponent_is_not_written_out() -> None:
    rules = {"a": FieldRule(type="string")}
    number = Decimal("1E+999999999")
    assert sent({"a": number}, fields=rules) == {"a": ("string", "1E+999999999")}


@pytest.mark.parametrize(
    "value", [[], ["x"], {}, {"a": "b"}, 1.5, float("nan"), Decimal("NaN"), Decimal("-Infinity")]
)
def test_what_is_no_single_value_is_a_problem(value: object) -> None:
    assert problems({"tags": value}) == "'tags' is neither text, number nor boolean"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tier", "tier"),
        ("tier", " tier"),
        ("Home  Town", "home town"),
        ("STRASSE", "straße"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_names_that_collide_in_the_store_are_both_named(one: str, other: str) -> None:
    assert problems({one: "a", other: "b"}) == f"{one!r} and {other!r} both map to {other!r}"


def test_a_rule_can_collide_with_an_unmapped_name() -> None:
    text = problems({"a": "1", "Tier": "2"}, fields={"a": FieldRule(target="tier")})
    assert text == "'a' and 'Tier' both map to 'Tier'"


def test_a_twin_that_is_left_out_collides_with_nothing() -> None:
    source: dict[str, object] = {"tier": "a", "Tier": "b", "TIER": None}
    assert sent(source, fields={"Tier": FieldRule(drop=True)}) == {"tier": ("string", "a")}


def test_longest_length_counts_characters() -> None:
    rules = {"a": FieldRule(max_length=3)}
    assert sent({"a": "äöü"}, fields=rules) == {"a": ("string", "äöü")}
    assert problems({"a": "äöüß"}, fields=rules) == "'a' is longer than 3 characters"


@pytest.mark.parametrize("source", [{}, {"a": None}])
def test_a_required_attribute_has_to_be_there(source: dict[str, object]) -> None:
    assert problems(source, fields={"a": FieldRule(required=True)}) == "'a' is required and missing"


def test_all_problems_are_reported_at_once_and_no_value_is_quoted() -> None:
    text = problems(
        {"Mail": "ann@example.com", "mail": "bob@example.com", "age": "old", "tags": ["secret"]},
        fields={
            "age": FieldRule(type="number"),
            "id": FieldRule(required=True),
        },
    )
    assert text.split("; ") == [
        "'id' is required and missing",
        "'Mail' and 'mail' both map to 'mail'",
        "'age' is not a number",
        "'tags' is neither text, number nor boolean",
    ]


@pytest.mark.parametrize(
    "template", ["{contact}", "{contact_id.secret}", "{0}", "{", "{contact_id!z}"]
)
def test_a_template_with_another_placeholder_stops_the_start(template: str) -> None:
    with pytest.raises(ValidationError, match="customer_id_template"):
        SyncRules(customer_id_template=template)


json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(),
)


def one_line_or_all_names(source: dict[str, object]) -> bool:
    try:
        mapped = map_attributes(source, SyncRules())
    except Rejected as error:
        return "\n" not in str(error)
    compact_json([(a.name, a.type, a.value) for a in mapped.attributes]).decode()
    return {*mapped.left_out, *(a.name for a in mapped.attributes)} == source.keys()


@given(st.dictionaries(st.text(), json_values))
def test_any_attributes_map_to_json_or_are_rejected_in_one_line(source: dict[str, object]) -> None:
    assert one_line_or_all_names(source)
