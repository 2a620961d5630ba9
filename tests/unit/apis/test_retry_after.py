"""`Retry-After` as seconds and as an HTTP date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.apis import retry_after

#: Wed, 21 Oct 2015 07:28:00 GMT
NOW = 1_445_412_480.0


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0.0),
        ("5", 5.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("86400", 86_400.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("Wed, 21 Oct 2015 09:28:30 +0200", 30.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
    ],
)
def test_a_wait_is_read_in_seconds(value: str, wait: float) -> None:
    assert retry_after.parse(value, NOW) == wait


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "-1",
        "1e3",
        "²",
        "٣",
        "nan",
        "inf",
        "1,5",
        "9" * 10,
        "Wed, 32 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 99999999999999999999:28:00 GMT",
        "Wed, 21 Oct 99999 07:28:00 GMT",
    ],
)
def test_what_names_no_wait_is_none(value: str | None) -> None:
    assert retry_after.parse(value, NOW) is None


dates = st.from_regex(
    r"(Wed, )?[0-9]{1,20} (Oct|Foo) [0-9]{1,12} [0-9:]{1,20} (GMT|[+-][0-9]{1,12})?",
    fullmatch=True,
)


@given(st.text() | dates)
def test_no_header_raises_or_asks_for_a_negative_wait(value: str) -> None:
    wait = retry_after.parse(value, NOW)
    assert wait is None or wait >= 0
