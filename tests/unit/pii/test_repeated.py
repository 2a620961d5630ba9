"""What repeats a value, and what only shares some digits with one."""

from __future__ import annotations

import pytest

from tasks.pii import redact_transcript

GONE = "[REDACTED]"


def left(*texts: str) -> list[str]:
    """Redact a conversation in which the sides take turns, the agent first."""
    messages = [{"from": "ac"[number % 2], "text": text} for number, text in enumerate(texts)]
    return [each["text"] for each in redact_transcript(messages).messages]


@pytest.mark.parametrize(
    "spelled",
    [
        "ref 123456789",
        "ref 123 45 6789",
        "ref 123_45_6789",
        "ref 123/45/6789",
        "ref (123) 45 - 6789",
        "ref １２３-４５-６７８９",
        "ref 12345\u200b6789",
        "REF123456789X",
    ],
)
def test_separators_and_scripts_make_no_difference(spelled: str) -> None:
    _, found = left("my ssn is 123-45-6789", spelled)
    assert GONE in found
    assert not any(char.isdecimal() for char in found)


@pytest.mark.parametrize(
    "other",
    ["ref 1234567890", "ref 0123456789", "ref 12345678", "ref 123 45 678", "ref 123     456789 x"],
)
def test_a_longer_or_shorter_number_is_another_one(other: str) -> None:
    _, found = left("my ssn is 123-45-6789", other)
    assert found == other


def test_bracket_and_country_go_with_a_repeated_phone() -> None:
    texts = left("Your phone?", "212 555 0100", "order id (212) 555-0100, item +1 212 555 0100")
    assert texts[2] == f"order id {GONE}, item {GONE}"


def test_what_stands_before_the_value_was_told_is_found_as_well() -> None:
    assert left("file 123456789?", "my ssn is 123-45-6789")[0] == f"file {GONE}?"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the card ending in 1111", f"the card ending in {GONE}"),
        ("my amex 1111", f"my amex {GONE}"),
        ("so 1111?", f"so {GONE}?"),
        ("1111", GONE),
        ("since 1111", "since 1111"),
        ("that is $1111", "that is $1111"),
        ("11111", "11111"),
        ("1111-22", "1111-22"),
    ],
)
def test_the_last_four_of_a_card_are_found_where_they_are_meant(said: str, expected: str) -> None:
    assert left("my card is 4111 1111 1111 1111", said)[1] == expected


def test_long_after_a_short_value_is_any_number() -> None:
    texts = left("my card is 4111 1111 1111 1111", "ok", "hm", "ok", "hm", "1111 apples")
    assert texts[-1] == "1111 apples"


def test_a_repeated_value_counts_each_time() -> None:
    messages = [{"text": "ssn 123-45-6789"}, {"text": "file 123456789, file 123 45 6789"}]
    assert redact_transcript(messages).findings == {"ssn": 3}


@pytest.mark.parametrize(
    "parts", [["card 4111 1111", "1111 1111"], ["card 4111", "1111", "1111", "1111"]]
)
def test_a_value_in_several_messages_counts_once(parts: list[str]) -> None:
    redacted = redact_transcript([{"from": "c", "text": part} for part in parts])
    assert (redacted.findings, redacted.changed) == ({"credit_card": 1}, len(parts))
