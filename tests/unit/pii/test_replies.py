"""Bare numbers that only the question before them explains."""

from __future__ import annotations

import pytest

from tasks.pii import find

REPLIES = [
    ("ssn", "123 45 6789", "123 45 6789"),
    ("ssn", "123456789", "123456789"),
    ("ssn", "it's 123-45-6789", "123-45-6789"),
    ("ssn", "6789", "6789"),
    ("ssn", "sure, 6 7 8 9", "6 7 8 9"),
    ("ssn", "the last four are 6789.", "6789"),
    ("ssn", "٦٧٨٩", "٦٧٨٩"),
    ("credit_card", "4242", "4242"),
    ("credit_card", "4111111111111111", "4111111111111111"),
    ("credit_card", "4111111111111112", "4111111111111112"),
    ("credit_card", "4111 1111 1111 1112", "4111 1111 1111 1112"),
    ("credit_card", "41111 11111 11111 2", "41111 11111 11111 2"),
    ("credit_card", "501800000000", "501800000000"),
    ("credit_card", "6304 0000 0000 0000 001", "6304 0000 0000 0000 001"),
    ("credit_card", "4111111111111111 cvv 123", "4111111111111111"),
    ("credit_card", "5500000000000004 12/27 123", "5500000000000004"),
    ("credit_card", "it is 378282246310005 exp 1227", "378282246310005"),
    ("phone", "5550100", "5550100"),
    ("phone", "555-0100", "555-0100"),
    ("phone", "4155550100", "4155550100"),
    ("phone", "sure it's 415 555 0100", "415 555 0100"),
    ("phone", "0612345678", "0612345678"),
    ("phone", "491511234567890", "491511234567890"),
    ("phone", "1699999999", "1699999999"),
    ("email", "kim at example dot org", "kim at example dot org"),
    ("email", "my number is 4155550100", "4155550100"),
    ("iban", "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
    ("reference", "I have no order number, call 4155550100", "4155550100"),
    ("reference", "(415) 555-0100", "(415) 555-0100"),
    ("reference", "4111 1111 1111 1111", "4111 1111 1111 1111"),
    (None, "4155550100", "4155550100"),
    (None, "sure, 4155550100 thanks", "4155550100"),
    (None, "4342432153328663", "4342432153328663"),
]


@pytest.mark.parametrize(("asked", "text", "value"), REPLIES)
def test_a_bare_reply_is_what_was_asked_for(asked: str | None, text: str, value: str) -> None:
    found = find(text, asked=asked)
    assert [text[each.start : each.end] for each in found] == [value]
    if asked not in (None, "reference", "email"):
        assert found[0].entity == asked


def test_what_is_left_of_a_redacted_text_is_no_reply() -> None:
    assert find("[REDACTED] 4155550100") == []


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        *(("reference", text) for text in ("123456789", "4155550100", "415555010", "0828353837")),
        *(("reference", text) for text in ("sure, it's 4155550100", "4111111111111111", "6789")),
        *(("account", text) for text in ("123456789", "4155550100", "6789")),
        *(("phone", text) for text in ("6789", "2", "call me after 5", "order 4155550100")),
        *(("ssn", text) for text in ("4155550100", "12.50", "in 3 days", "$1234", "000121234")),
        *(
            ("credit_card", text)
            for text in ("12/27", "1234567", "$4242", "order 4111111111111111")
        ),
        *((None, text) for text in ("123456789", "6789", "1699999999")),
        (None, "it took 4155550100 steps and then some more of them to get here, they said"),
        ("loyalty", "4155550100"),
    ],
)
def test_what_answers_another_question_stays(asked: str | None, text: str) -> None:
    assert find(text, asked=asked) == []
