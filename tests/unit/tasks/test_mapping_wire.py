"""What leaves for each target, byte for byte, and that it is read back as it was meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
import simplejson
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.apis.calls import Answer, Call
from tasks.apis.cognigy.settings import CognigySettings
from tasks.apis.cognigy.store import CognigyProfiles
from tasks.apis.customers import CustomerAttribute, CustomerStore, Target, ValueType
from tasks.apis.cxone.settings import DigitalSettings
from tasks.apis.cxone.store import CxoneDigital
from tasks.apis.cxone_guide import CxoneGuide
from tasks.apis.http import Http
from tasks.apis.remembered import Remembered
from tasks.compact_json import compact_json
from tasks.errors import Rejected
from tasks.mapping import FieldRule, SyncRules, map_attributes
from tasks.wire_values import on_the_wire

PROFILE_ID = "a" * 24
TARGETS: tuple[Target, ...] = ("cxone-guide", "cxone", "cognigy")
REFUSED = "refused"


@dataclass(kw_only=True)
class Recorder:
    """Stands in for `Http`: answers every call, and keeps the bodies as they leave."""

    bodies: list[bytes] = field(default_factory=list)

    def call(self, call: Call) -> Answer:
        if call.body is not None:
            self.bodies.append(compact_json(call.body))
        return Answer(status=200, headers={}, body={"_id": PROFILE_ID, "profile": {}})


class Unlimited:
    """A record without a rate."""

    def take(self, record: str) -> None:
        pass


class NoSuccessors:
    """No profile has taken another's place."""

    def of(self, profile_id: str) -> None:
        pass

    def remember(self, profile_id: str, successor_id: str) -> None:
        pass


def store(target: Target, recorder: Recorder) -> CustomerStore:
    http = cast(Http, recorder)
    if target == "cxone-guide":
        return CxoneGuide(http=http)
    if target == "cognigy":
        return CognigyProfiles(http=http, settings=CognigySettings(), successors=NoSuccessors())
    return CxoneDigital(
        http=http,
        settings=DigitalSettings(replaces="named", unknown_ident="refused"),
        discovery=None,
        defined=Remembered(life=60.0),
        rate=Unlimited(),
    )


SHAPES = {target: store(target, Recorder()).shape for target in TARGETS}

#: Everything around the value in the body of a write, by target.
AROUND = {
    "cxone-guide": '{{"attributes":[{{"name":"a","value":{value},"type":"{type}"}}]}}',
    "cxone": '[{{"ident":"a","value":{value}}}]',
    "cognigy": '{{"profile":{{"a":{value}}}}}',
}


def meant(source: object, target: Target, kind: ValueType | None) -> CustomerAttribute:
    rules = SyncRules(fields={"a": FieldRule(type=kind)})
    return map_attributes({"a": source}, rules, SHAPES[target]).attributes[0]


def body(attribute: CustomerAttribute, target: Target) -> bytes:
    recorder = Recorder()
    store(target, recorder).put_attributes(PROFILE_ID, [attribute])
    return recorder.bodies[-1]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A source value under a rule, and the value's JSON for each target, or `refused`."""

    rule: ValueType | None
    source: object
    type: str
    wire: dict[str, str]


def _row(line: str) -> Row:
    rule, source, kind, *wire = (cell.strip() for cell in line.split(" | "))
    return Row(
        rule=None if rule == "-" else cast(ValueType, rule),
        source=simplejson.loads(source, use_decimal=True),
        type=kind,
        wire=dict(zip(TARGETS, wire, strict=True)),
    )


def _read_table() -> list[Row]:
    lines = Path(__file__).with_suffix(".txt").read_text("utf-8").split("\n")
    return [_row(line) for line in lines if line.strip() and not line.startswith("#")]


TABLE = _read_table()


def test_the_table_is_long_enough_to_be_believed() -> None:
    assert len({(row.rule, repr(row.source)) for row in TABLE}) == len(TABLE) >= 150


def on_each_wire(source: object, rule: ValueType | None) -> dict[str, str]:
    """Return the JSON of the value in the body of each target's write, or `refused`."""
    return {target: _on_the_wire_of(target, source, rule) for target in TARGETS}


def _on_the_wire_of(target: Target, source: object, rule: ValueType | None) -> str:
    try:
        attribute = meant(source, target, rule)
    except Rejected:
        return REFUSED
    before, after = AROUND[target].format(value="\0", type=attribute.type).split("\0")
    written = body(attribute, target).decode()
    assert (written[: len(before)], written[-len(after) :]) == (before, after)
    return written[len(before) : -len(after)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: ascii(f"{row.rule} {row.source}")[:50])
def test_a_value_leaves_as_the_table_says(row: Row) -> None:
    assert on_each_wire(row.source, row.rule) == row.wire


@pytest.mark.parametrize("row", TABLE, ids=lambda row: ascii(f"{row.rule} {row.source}")[:50])
def test_a_value_has_the_same_type_for_every_target_that_takes_it(row: Row) -> None:
    kinds = {
        meant(row.source, target, row.rule).type
        for target in TARGETS
        if row.wire[target] != REFUSED
    }
    assert kinds == ({row.type} - {"-"})


def quoted(text: str) -> str:
    return f'"{text}"'


DIGITS = "1" + "0" * 1024
LONG: dict[str, tuple[ValueType | None, object, list[str]]] = {
    "1,024 letters": (None, "a" * 1024, [quoted("a" * 1024)] * 3),
    "1,025 letters": (None, "a" * 1025, [REFUSED, REFUSED, quoted("a" * 1025)]),
    "1,024 characters of four bytes": (None, "🙂" * 1024, [quoted("🙂" * 1024)] * 3),
    "1,025 characters of two bytes": (None, "ä" * 1025, [REFUSED, REFUSED, quoted("ä" * 1025)]),
    "1,025 spaces": (None, " " * 1025, [REFUSED, REFUSED, quoted(" " * 1025)]),
    "1,025 digits": (None, DIGITS, [REFUSED, REFUSED, quoted(DIGITS)]),
    "a number of 1,025 digits": ("number", DIGITS, [DIGITS, REFUSED, REFUSED]),
    "a JSON number of 1,024 digits": (None, 10**1023, [DIGITS[:-1], *[quoted(DIGITS[:-1])] * 2]),
    "a JSON number of 1,025 digits": (None, 10**1024, [DIGITS, REFUSED, quoted(DIGITS)]),
}


@pytest.mark.parametrize("name", LONG)
def test_no_text_is_longer_than_its_target_takes(name: str) -> None:
    rule, source, wire = LONG[name]
    assert on_each_wire(source, rule) == dict(zip(TARGETS, wire, strict=True))


def read_back(attribute: CustomerAttribute, target: Target) -> Any:
    """Return the value that a reader of the body's exact JSON finds."""
    document = simplejson.loads(body(attribute, target), use_decimal=True)
    if target == "cxone-guide":
        return document["attributes"][0]["value"]
    return document[0]["value"] if target == "cxone" else document["profile"]["a"]


def printed(value: Any) -> str:
    return value if isinstance(value, str) else simplejson.dumps(value, use_decimal=True)


texts = st.one_of(
    st.text(max_size=1024),
    st.from_regex(r"[+-]?[0-9_,]{0,20}([.][0-9]{0,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{2,18}[Z+0-9:-]{0,6})?", fullmatch=True),
    st.sampled_from(["true", "False", "TRUE ", "null", "NaN", "-Infinity", "[]", "{}", '"', "\\"]),
    st.integers().map(str),
    st.decimals().map(str),
    st.floats().map(repr),
)


@pytest.mark.parametrize("target", TARGETS)
@given(text=texts)
@example(text="9007199254740993")
@example(text="12500.50")
@example(text="1E+2")
@example(text="\u2028\u0000\ufeff")
def test_any_text_is_read_back_as_it_was(target: Target, text: str) -> None:
    attribute = meant(text, target, None)
    same = text.lower() if attribute.type == "boolean" else text
    assert printed(read_back(attribute, target)) == same


@pytest.mark.parametrize("target", TARGETS)
@given(text=texts)
def test_any_text_mapped_to_a_string_is_read_back_as_that_string(target: Target, text: str) -> None:
    assert read_back(meant(text, target, "string"), target) == text


@pytest.mark.parametrize("target", TARGETS)
@given(number=st.integers() | st.decimals(allow_nan=False, allow_infinity=False))
@example(number=2**63 - 1)
@example(number=10**39 + 1)
@example(number=Decimal("1E+2"))
@example(number=Decimal("-0.0"))
def test_any_json_number_is_read_back_with_all_its_digits(
    target: Target, number: int | Decimal
) -> None:
    assert Decimal(read_back(meant(number, target, None), target)) == number


@pytest.mark.parametrize("target", TARGETS)
@given(
    number=st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.integers(min_value=-(2**60), max_value=2**60).map(Decimal)
)
@example(number=Decimal("7.000"))
@example(number=Decimal("-0"))
@example(number=Decimal(2**53))
def test_a_number_that_is_asked_for_is_sent_exactly_or_refused(
    target: Target, number: Decimal
) -> None:
    text = format(number, "f")
    is_whole = number == int(number) and abs(number) < 2**53
    if target == "cognigy" and not is_whole:
        with pytest.raises(Rejected, match="'a' is a number that the target does not have"):
            meant(text, target, "number")
        return
    read = read_back(meant(text, target, "number"), target)
    assert isinstance(read, str) == (target == "cxone")
    assert Decimal(read) == number


@given(texts)
def test_a_reader_with_doubles_prints_an_inferred_number_as_it_was(text: str) -> None:
    sent = on_the_wire(meant(text, "cognigy", None), SHAPES["cognigy"])
    if isinstance(sent, Decimal):
        assert simplejson.dumps(int(float(sent))) == text
