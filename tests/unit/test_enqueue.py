from __future__ import annotations

import io

import pytest

from tasks.errors import Rejected
from tasks.messages import MAX_MESSAGE_BYTES, SyncProfile
from workers.sending.enqueue import LONGEST_LINE, Form

FORM = Form(model=SyncProfile, tenants=("default", "acme"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{}", "contact_id: is required"),
        (b'{"contact_id": 7}', "contact_id: Input should be a valid string"),
        (b'{"contact_id": "c", "surprise": 1}', "surprise: is not a known field"),
        (b'{"contact_id": "c", "tenant": "no"}', "tenant: is not a tenant of this installation"),
        (b'["contact_id"]', "must be a JSON object: the keyword arguments of the task"),
        (b'{"contact_id": "c"', "is no JSON: Expecting ',' delimiter at column 19"),
        (b'{"contact_id": NaN}', "is no JSON: NaN is no number of JSON"),
        (b'{"contact_id": "c", "contact_id": "d"}', "contact_id: is given twice"),
        (b'{"contact_id": "c", "attributes": {"a b": "", "a b": ""}}', "?: is given twice"),
        (b"\xff\xfe{}", "is no JSON: not UTF-8"),
        (b"[" * 100_000, "is no JSON: nested too deeply, or a number too long"),
        (b"1" * 5_000, "is no JSON: nested too deeply, or a number too long"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_with_its_field_and_rule(line: bytes, problem: str) -> None:
    with pytest.raises(Rejected) as refusal:
        FORM.message(line)
    assert str(refusal.value) == problem


def test_lines_keep_the_numbers_that_they_have_in_the_file() -> None:
    stream = io.BytesIO(b'{"contact_id": "a"}\n\n  \nnonsense\r\n{"contact_id": "b"}')
    lines = list(FORM.lines(stream))
    assert [(line.number, bool(line.message)) for line in lines] == [
        (1, True),
        (4, False),
        (5, True),
    ]


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read() -> None:
    stream = io.BytesIO(b"x" * (3 * LONGEST_LINE) + b'\n{"contact_id": "a"}\n')
    first, second = FORM.lines(stream)
    assert first.problem == "message: must be at most 262,144 bytes"
    assert first.length == 3 * LONGEST_LINE + 1
    assert second.number == 2
    assert second.message


@pytest.mark.parametrize(("more", "good"), [(0, True), (1, False)])
def test_the_longest_line_is_the_longest_message(more: int, good: bool) -> None:
    begin, end = b'{"contact_id": "c", "attributes": {"a": "', b'"}}'
    value = b"x" * (MAX_MESSAGE_BYTES - len(begin) - len(end) + more)
    (line,) = FORM.lines(io.BytesIO(begin + value + end + b"\r\n"))
    assert bool(line.message) is good
    assert good or line.problem == "message: must be at most 262,144 bytes"


def test_the_tenant_is_for_lines_that_name_none() -> None:
    form = Form(model=SyncProfile, tenants=("default", "acme"), tenant="acme")
    assert form.message(b'{"contact_id": "c"}').tenant == "acme"
    assert form.message(b'{"contact_id": "c", "tenant": "default"}').tenant == "default"


def test_lines_are_read_one_by_one() -> None:
    stream = io.BytesIO(b'{"contact_id": "c"}\n' * 1_000)
    next(FORM.lines(stream))
    assert stream.tell() == 20


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    assert FORM.message(b'\xef\xbb\xbf{"contact_id": "c"}').tenant == "default"
