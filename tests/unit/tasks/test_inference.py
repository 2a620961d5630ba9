"""Inference never changes a value's meaning."""

from __future__ import annotations

from decimal import Decimal

import pytest
import simplejson
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.apis.customers import ValueType
from tasks.inference import infer

words = str.split

NUMBERS = words(
    """
    0 1 7 42 -1 -42 12500 9007199254740991 -9007199254740991
    0.5 -0.5 12500.5 3.14 0.1 0.000001 1.05 123456789.125
    """
)

DATES = words(
    """
    2024-01-31 2024-02-29 1999-12-31 0001-01-01 9999-12-31
    2024-05-01T10:00 2024-05-01T10:00:00 2024-05-01T10:00:00Z 2024-05-01T10:00Z
    2024-05-01T10:00:00+02:00 2024-05-01T10:00:00-11:30 2024-05-01T10:00:00.5Z
    2024-05-01T10:00:00.123456Z 2024-05-01T10:00:00.123456789Z 2024-05-01T23:59:59.999+00:00
    """
)

BOOLEANS = words("true false True False TRUE FALSE tRuE fALSE")

STRINGS = [
    # Numbers that would print back as another text, or that are none in JSON.
    *words("00123 007 01 -01 00 -0 0.10 12500.50 1.0 1.00 0.0 -0.0 .5 5. 1. -.5 0.0000001"),
    *words("+1 +15550100 +49-30-1234 +0 --1 -"),
    *words("1e5 1E5 1e-5 -1e5 1.5e3 1e400 0e0 1e"),
    *words("nan NaN NAN inf Inf -inf +inf Infinity -Infinity"),
    *words("1_000 1_0 1,000 1,000.50 1.000,50 12,5 1'000 0x1F 0b1 0o7 1/2 50% $5 5€"),
    *words("9007199254740992 12345678901234567 -9007199254740993 98765432109876543210"),
    "0.1234567890123456789",
    "1" * 5_000,
    "1 000",
    "1 555 0100",
    " 1",
    "1 ",
    "1\n",
    "1\x00",
    # Digits of other scripts, and signs that only look like the ASCII ones.
    *words("٣ ٤٢ १२ ４２ ² ½ Ⅷ −1 1٫5"),
    # Nearly booleans.
    *words("yes no on off y t f True. ＴＲＵＥ truе"),
    " true",
    "true ",
    "true\n",
    # Dates that do not exist, and forms that stores read differently.
    *words("2024-02-30 2023-02-29 2024-13-01 2024-00-10 0000-01-01 2024-1-1 24-01-01"),
    *words("01/31/2024 31.01.2024 2024/01/31 2024-01 2024-W05-3 2024-031 --01-31"),
    *words("2024-05-01T 2024-05-01T10 2024-05-01T25:00 2024-05-01T10:60 2024-05-01T10:00:61Z"),
    *words("2024-05-01t10:00:00Z 2024-05-01T10:00:00z 2024-05-01T10:00:00+0200"),
    *words("2024-05-01T10:00:00+02 2024-05-01T10:00:00,5Z 2024-05-01Z ２０２４-01-31"),
    *words("2024-05-01T24:00 2024-05-01T24:00:00Z 2024-12-31T23:59:60Z 2024-05-01T10:00+10:60"),
    *words("2024-05-01T10:00:00+24:00 2024-05-01T10:00:00.Z 2024-05-01T10:00:00.0123456789Z"),
    "2024-05-01 10:00:00",
    "2024-05-01\n",
    " 2024-05-01",
    # Everything else.
    *words("gold null None undefined [] {} ann@example.com Zoë"),
    "",
    " ",
    "\t",
    "\ud800",
]

TABLE: list[tuple[str, ValueType]] = [
    *((text, "number") for text in NUMBERS),
    *((text, "date") for text in DATES),
    *((text, "boolean") for text in BOOLEANS),
    *((text, "string") for text in STRINGS),
]


@pytest.mark.parametrize(("text", "kind"), TABLE, ids=lambda part: ascii(part)[:40])
def test_the_type_of_a_text_is_inferred_with_care(text: str, kind: ValueType) -> None:
    assert infer(text)[0] == kind


def test_the_table_is_long_enough_to_be_believed() -> None:
    assert len({text for text, _ in TABLE}) == len(TABLE) >= 80


def test_a_number_is_a_decimal_and_never_a_float() -> None:
    kind, value = infer("0.1")
    assert (kind, value) == ("number", Decimal("0.1"))
    assert isinstance(value, Decimal)


near_numbers = st.from_regex(
    r"[+-]?[0-9_,]{0,20}(\.[0-9]{0,10})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
near_dates = st.from_regex(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.,]{2,12}[Z+0-9:-]{0,6})?", fullmatch=True
)
texts = st.one_of(
    st.text(),
    near_numbers,
    near_dates,
    st.floats().map(repr),
    st.integers().map(str),
    st.decimals().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
)


@given(texts)
@example("-0")
@example("1e22")
@example("0.0000001")
def test_any_typed_value_prints_back_to_the_same_text(text: str) -> None:
    kind, value = infer(text)
    if kind == "boolean":
        assert str(value).lower() == text.lower()
    else:
        assert str(value) == text


@given(texts)
def test_any_number_reaches_a_reader_with_doubles_as_the_same_text(text: str) -> None:
    kind, value = infer(text)
    if kind == "number":
        sent = simplejson.dumps(value, use_decimal=True)
        assert sent == text
        read = simplejson.loads(sent)
        assert Decimal(repr(read)) == value
