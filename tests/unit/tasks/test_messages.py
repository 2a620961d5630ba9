"""What a producer may put on a queue, and the one line that refuses the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.compact_json import compact_json
from tasks.errors import Rejected
from tasks.messages import MergeAndSync, MergeProfiles, Message, SetAttributes, SyncProfile, parse

ID_RULE = "must be 1 to 128 letters, digits or . _ : @ + - and start with a letter or digit"
MERGE: dict[str, Any] = {"source_profile_ids": ["a", "b"], "target_profile_id": "t"}
SET: dict[str, Any] = {"conversation_id": "c", "attributes": {"tier": "gold"}}
SYNC: dict[str, Any] = {"contact_id": "c"}


def refusal(model: type[Message], arguments: dict[str, Any]) -> str:
    with pytest.raises(Rejected) as caught:
        parse(model, arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 300
    return text


@pytest.mark.parametrize(
    ("model", "arguments"),
    [(MergeProfiles, MERGE), (MergeAndSync, MERGE), (SetAttributes, SET), (SyncProfile, SYNC)],
)
def test_the_required_fields_are_enough(model: type[Message], arguments: dict[str, Any]) -> None:
    message = parse(model, arguments)
    assert message.arguments() == arguments
    assert message.tenant == "default"
    assert message.operation_id is None


def test_the_defaults_are_those_of_the_interface() -> None:
    assert parse(MergeProfiles, MERGE).merge_policy == "target_wins"
    assert parse(SetAttributes, SET).participant_type == "user"


@pytest.mark.parametrize(
    ("model", "arguments"),
    [(MergeProfiles, MERGE), (MergeAndSync, MERGE), (SetAttributes, SET), (SyncProfile, SYNC)],
)
def test_every_message_takes_tenant_operation_and_correlation(
    model: type[Message], arguments: dict[str, Any]
) -> None:
    common = {"tenant": "acme", "operation_id": "op:1", "correlation_id": "corr-1"}
    assert parse(model, {**arguments, **common}).arguments() == {**arguments, **common}


@pytest.mark.parametrize(
    ("model", "arguments", "field", "rule"),
    [
        (MergeProfiles, {**MERGE, "surprise": 1}, "surprise", "is not a known field"),
        (MergeProfiles, {**MERGE, "ann@ex.com": 1}, "?", "is not a known field"),
        (MergeProfiles, {"target_profile_id": "t"}, "source_profile_ids", "is required"),
        (MergeProfiles, {"source_profile_ids": ["a"]}, "target_profile_id", "is required"),
        (MergeProfiles, {**MERGE, "source_profile_ids": []}, "source_profile_ids", "at least 1"),
        (
            MergeProfiles,
            {**MERGE, "source_profile_ids": [f"s{n}" for n in range(25)]},
            "source_profile_ids",
            "at most 24",
        ),
        (
            MergeProfiles,
            {**MERGE, "source_profile_ids": ["a", "b", "a"]},
            "source_profile_ids",
            "must not name the same id twice",
        ),
        (
            MergeProfiles,
            {"source_profile_ids": ["a", "t"], "target_profile_id": "t"},
            "target_profile_id",
            "must not be a source too",
        ),
        (
            MergeAndSync,
            {"source_profile_ids": ["t"], "target_profile_id": "t"},
            "target_profile_id",
            "must not be a source too",
        ),
        (MergeProfiles, {**MERGE, "merge_policy": "both"}, "merge_policy", "'target_wins'"),
        (MergeProfiles, {**MERGE, "source_profile_ids": "a"}, "source_profile_ids", "valid list"),
        (MergeProfiles, {**MERGE, "target_profile_id": 7}, "target_profile_id", "valid string"),
        (MergeProfiles, {**MERGE, "source_profile_ids": [None]}, "source_profile_ids.0", "string"),
        (MergeProfiles, {**MERGE, "tenant": None}, "tenant", "valid string"),
        (MergeAndSync, {**MERGE, "customer_id": "a/b"}, "customer_id", ID_RULE),
        (SetAttributes, {**SET, "attributes": {}}, "attributes", "at least 1"),
        (SetAttributes, {**SET, "attributes": []}, "attributes", "valid dictionary"),
        (SetAttributes, {**SET, "attributes": {"a": 1}}, "attributes.a", "valid string"),
        (SetAttributes, {**SET, "attributes": {"a": None}}, "attributes.a", "valid string"),
        (SetAttributes, {**SET, "attributes": {"a": True}}, "attributes.a", "valid string"),
        (SetAttributes, {**SET, "attributes": {"a": float("nan")}}, "attributes.a", "string"),
        (SetAttributes, {**SET, "attributes": {"a": ["x"]}}, "attributes.a", "valid string"),
        (SetAttributes, {**SET, "attributes": {"a": "x\ud800"}}, "attributes.a", "Unicode"),
        (SetAttributes, {**SET, "attributes": {"": "x"}}, "attributes.?.name", "at least 1"),
        (SetAttributes, {**SET, "attributes": {"k" * 257: "x"}}, "attributes.?.name", "most 256"),
        (SetAttributes, {**SET, "attributes": {"\ud800": "x"}}, "attributes.?.name", "unicode"),
        (SetAttributes, {**SET, "\ud800": "x"}, "message", "a field's name must be valid Unicode"),
        (SyncProfile, {**SYNC, "attributes": {}}, "attributes", "at least 1"),
        (SyncProfile, {**SYNC, "customer_id": ""}, "customer_id", ID_RULE),
    ],
)
def test_bad_input_gets_one_line_with_field_and_rule(
    model: type[Message], arguments: dict[str, Any], field: str, rule: str
) -> None:
    text = refusal(model, arguments)
    assert text.startswith(f"{field}: ")
    assert rule in text


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "a/b",
        "../admin",
        "..",
        ".",
        "a..b",
        "a?b=c",
        "a%2Fb",
        "a#b",
        "a\\b",
        "a b",
        " a",
        "a\n",
        "\na",
        "a\r\nX-Header: 1",
        "a\x00",
        "-a",
        "_a",
        "ä",
        "а",
        "{id}",
        "a" * 129,
        "a" * 10_000,
        "a\ud800",
    ],
    ids=lambda text: ascii(text)[:20],
)
@pytest.mark.parametrize(
    ("model", "arguments", "field"),
    [
        (MergeProfiles, MERGE, "target_profile_id"),
        (SetAttributes, SET, "conversation_id"),
        (SetAttributes, SET, "participant_id"),
        (SyncProfile, SYNC, "contact_id"),
        (SyncProfile, SYNC, "tenant"),
        (SyncProfile, SYNC, "operation_id"),
        (SyncProfile, SYNC, "correlation_id"),
    ],
)
def test_an_unsafe_id_is_refused_and_not_quoted(
    model: type[Message], arguments: dict[str, Any], field: str, identifier: str
) -> None:
    name, _, rule = refusal(model, {**arguments, field: identifier}).partition(": ")
    assert name == field
    assert rule in {
        ID_RULE,
        "String should have at most 128 characters",
        "Input should be a valid string, unable to parse raw data as a unicode string",
    }


@pytest.mark.parametrize(
    "identifier",
    ["a", "7", "A-1", "org-001", "email_someone@example.com", "p+1", "a" * 128],
)
def test_ids_as_the_vendors_make_them_are_taken(identifier: str) -> None:
    assert parse(SyncProfile, {"contact_id": identifier}) == SyncProfile(contact_id=identifier)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        pytest.param("x" * (1024 - len('{"k":""}')), True, id="1,024 bytes"),
        pytest.param("x" * (1025 - len('{"k":""}')), False, id="1,025 bytes"),
        pytest.param("ж" * 508, True, id="1,024 bytes in two-byte letters"),
        pytest.param("ж" * 509, False, id="1,026 bytes in two-byte letters"),
        pytest.param('"' * 509, False, id="quotes count with their escapes"),
    ],
)
def test_attributes_hold_at_most_1_kb_of_json(value: str, fits: bool) -> None:
    arguments = {**SET, "attributes": {"k": value}}
    if fits:
        assert parse(SetAttributes, arguments).attributes == {"k": value}
    else:
        assert refusal(SetAttributes, arguments) == (
            "attributes: must be at most 1,024 bytes of UTF-8 JSON"
        )


def test_a_sync_may_bring_more_than_1_kb_of_attributes() -> None:
    arguments = {**SYNC, "attributes": {"note": "x" * 2_000}}
    assert parse(SyncProfile, arguments).arguments() == arguments


@pytest.mark.parametrize("field", ["contact_id", "surprise"])
def test_a_message_of_a_megabyte_is_refused(field: str) -> None:
    text = refusal(SyncProfile, {**SYNC, field: "x" * 1_000_000})
    assert text == "message: must be at most 262,144 bytes"


@pytest.mark.parametrize(("letter", "size"), [("x", 1), ("ü", 2), ("語", 3), ("😀", 4)])
def test_a_message_holds_a_quarter_of_a_megabyte_of_utf_8(letter: str, size: int) -> None:
    around = len(json.dumps({"contact_id": "c", "attributes": {"note": ""}}))
    fits = letter * ((262_144 - around) // size)
    arguments = {**SYNC, "attributes": {"note": fits}}
    assert parse(SyncProfile, arguments).attributes == {"note": fits}
    text = refusal(SyncProfile, {**SYNC, "attributes": {"note": fits + letter}})
    assert text == "message: must be at most 262,144 bytes"


def test_a_message_nested_ten_thousand_deep_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(10_000):
        deep = {"a": deep}
    assert refusal(SetAttributes, {**SET, "attributes": deep}) == (
        "message: must not be nested this deeply"
    )


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        (
            "2026-05-01T10:00:00.250+02:00",
            datetime(2026, 5, 1, 10, 0, 0, 250_000, timezone(timedelta(hours=2))),
        ),
        (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_date_time_with_its_zone(value: object, moment: datetime) -> None:
    assert parse(SetAttributes, {**SET, "occurred_at": value}).occurred_at == moment


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-01T10:00:00",
        "2026-05-01",
        "yesterday",
        "",
        "1777629600",
        1777629600,
        1.5,
        float("nan"),
        True,
        ["2026-05-01T10:00:00Z"],
        datetime(2026, 5, 1),  # noqa: DTZ001  # without a zone on purpose
    ],
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    assert refusal(SetAttributes, {**SET, "occurred_at": value}).startswith("occurred_at: ")


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01"])
def test_a_moment_that_utc_cannot_hold_is_refused(value: str) -> None:
    text = refusal(SetAttributes, {**SET, "occurred_at": value})
    assert text == "occurred_at: must lie in the years 1 to 9999 of UTC"


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00-14:00", "9999-12-31T23:59:59+14:00"])
def test_a_moment_at_the_edge_of_utc_is_taken(value: str) -> None:
    moment = parse(SetAttributes, {**SET, "occurred_at": value}).occurred_at
    assert moment is not None
    assert moment.astimezone(UTC).year in (1, 9999)


def test_more_problems_are_counted_and_the_first_is_named() -> None:
    text = refusal(MergeProfiles, {"source_profile_ids": [], "surprise": 1})
    assert text.startswith("source_profile_ids: ")
    assert text.endswith("(and 2 more)")


def test_no_refusal_quotes_a_value() -> None:
    secret = "ann@example.com/4111111111111111"
    for field in ("conversation_id", "participant_id", "occurred_at", "attributes", "tenant"):
        assert "ann" not in refusal(SetAttributes, {**SET, field: secret})
        assert "4111" not in refusal(SetAttributes, {**SET, field: secret})


@pytest.mark.parametrize("model", [SetAttributes, SyncProfile])
def test_attribute_values_stay_out_of_the_repr(model: type[Message]) -> None:
    arguments = {**(SET if model is SetAttributes else SYNC), "attributes": {"a": "secret"}}
    assert "secret" not in repr(parse(model, arguments))


identifiers = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_:@+\-]{0,127}", fullmatch=True)
encodable = st.text(st.characters(exclude_categories=["Cs"]))
syncs = st.fixed_dictionaries(
    {"contact_id": identifiers},
    optional={
        "tenant": identifiers,
        "customer_id": identifiers,
        "attributes": st.dictionaries(encodable.filter(bool), encodable, min_size=1, max_size=5),
        "occurred_at": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    },
)


@given(syncs)
def test_a_message_survives_its_own_arguments(arguments: dict[str, Any]) -> None:
    message = parse(SyncProfile, arguments)
    assert parse(SyncProfile, message.arguments()) == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
field_names = st.sampled_from([*SetAttributes.model_fields, "surprise"]) | st.text()


def accepted_or_refused_in_one_line(model: type[Message], arguments: dict[str, Any]) -> bool:
    try:
        return isinstance(parse(model, arguments), model)
    except Rejected as error:
        return ": " in str(error) and "\n" not in str(error)


@given(st.sampled_from([SetAttributes, SyncProfile, MergeAndSync]), st.data())
def test_any_json_is_accepted_or_refused_in_one_line(
    model: type[Message], data: st.DataObject
) -> None:
    arguments = data.draw(st.dictionaries(field_names, json_values))
    assert accepted_or_refused_in_one_line(model, arguments)


def test_compact_json_keeps_the_digits_of_decimals_and_survives_lone_surrogates() -> None:
    assert (
        compact_json({"a": Decimal("1.50"), "é": "\ud800"}) == '{"a":1.50,"é":"\\ud800"}'.encode()
    )
