"""Finding personal data, and leaving alone what only looks like it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.pii import ENTITIES, find, redact, redact_transcript

FOUND = [
    ("mail ann.o'neil+x@mail.example.co.uk.", "mail [REDACTED].", "email"),
    ("ann＠example.com", "[REDACTED]", "email"),
    ("call +44 20 7946 0958 now", "call [REDACTED] now", "phone"),
    ("(212) 555-0100 x12", "[REDACTED]", "phone"),
    ("my mobile is 0207 946 0958", "my mobile is [REDACTED]", "phone"),
    ("phone ٢١٢-٥٥٥-٠١٠٠", "phone [REDACTED]", "phone"),
    ("ssn 123-45-6789", "ssn [REDACTED]", "ssn"),
    ("my social security number 123456789", "my social security number [REDACTED]", "ssn"),
    ("4111 1111 1111 1111", "[REDACTED]", "credit_card"),
    ("4111-1111-1111-1111, cvv 123", "[REDACTED], cvv 123", "credit_card"),
    ("3782 822463 10005", "[REDACTED]", "credit_card"),
    ("card 4111111111111112", "card [REDACTED]", "credit_card"),
    ("from 192.168.10.20.", "from [REDACTED].", "ip_address"),
    ("at 2001:db8::ff00:42:8329", "at [REDACTED]", "ip_address"),
    ("DE89 3704 0044 0532 0130 00 please", "[REDACTED] please", "iban"),
    ("gb82west12345698765432", "[REDACTED]", "iban"),
]


@pytest.mark.parametrize(("text", "expected", "entity"), FOUND)
def test_personal_data_is_replaced(text: str, expected: str, entity: str) -> None:
    assert [each.entity for each in find(text)] == [entity]
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111111 has shipped",
        "tracking 9400 1118 9922 3397 5621 23",
        "item 2125550100",
        "policy 123456789",
        "isbn 978-3-16-148410-0",
        "at 12:30:45 on 2026-01-31",
        "version 1.2.3",
        "999.1.1.1",
        "std::vector",
        "DE89 3704 0044 0532 0130 01",
        "ssn 000-12-3456",
        "me@home",
        "1699999999999",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("asked", "text", "entity"),
    [("ssn", "123456789", "ssn"), ("phone", "2125550100", "phone")],
)
def test_a_bare_number_is_what_was_asked_for(asked: str, text: str, entity: str) -> None:
    assert find(text) == []
    assert [each.entity for each in find(text, asked=asked)] == [entity]
    assert find(text, asked="reference") == []


def test_only_the_entities_asked_for_are_found() -> None:
    text = "ann@example.com, +44 20 7946 0958"
    assert [each.entity for each in find(text)] == ["email", "phone"]
    assert redact(text, ["phone"]) == "ann@example.com, [REDACTED]"


@given(st.text(alphabet="0123456789 .-+()@:ab\u0661\uff10", max_size=120))
def test_findings_are_in_order_inside_the_text_and_do_not_overlap(text: str) -> None:
    end = 0
    for finding in find(text):
        assert end <= finding.start < finding.end <= len(text)
        assert finding.entity in ENTITIES
        end = finding.end


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "a.",
        "@a.",
        "a@",
        "1",
        "1 ",
        "1-",
        "(1",
        "+1 ",
        "1.",
        "ab:",
        "::",
        "DE89 ",
        "a@b.c ",
        "1@",
    ],
)
def test_time_grows_with_the_length_of_hostile_texts(pattern: str) -> None:
    text = pattern * (100_000 // len(pattern))
    started = time.process_time()
    find(text)
    assert time.process_time() - started < 5.0


def test_a_transcript_keeps_every_field_and_its_own_messages() -> None:
    messages: list[dict[str, Any]] = [
        {"id": "1", "from": "agent", "text": "Your phone number?"},
        {"id": "2", "from": "customer", "text": "2125550100", "n": {"a": [None]}},
        {"id": "3", "from": "customer", "text": None},
        {"id": "4", "from": "customer"},
        {"id": "5", "from": "customer", "text": "order 2125550199"},
    ]
    redacted = redact_transcript(messages)
    assert redacted.messages[1] == {**messages[1], "text": "[REDACTED]"}
    assert [*redacted.messages[:1], *redacted.messages[2:]] == [*messages[:1], *messages[2:]]
    assert (redacted.changed, redacted.findings) == (1, {"phone": 1})
    assert "2125550100" not in repr(redacted)
