"""What stands where personal data stood."""

from __future__ import annotations

import re

import pytest

from tasks.pii import ENTITIES, find, redact_transcript
from tasks.pii.placeholders import Hash, label
from tasks.pii.search import Search

SECRET = "a key of more than thirty-two characters"
ACME = Hash.of(SECRET, "acme")
STYLES = {
    "redacted": Search(),
    "label": Search(placeholder=label),
    "hash": Search(placeholder=ACME),
}

TEXT = "mail ann@example.com, card 4111 1111 1111 1111, ssn 123-45-6789, call +44 20 7946 0958"


def redacted(*texts: str, search: Search) -> list[str]:
    messages = [{"from": "c", "text": text} for text in texts]
    return [each["text"] for each in redact_transcript(messages, search=search).messages]


def test_a_label_says_what_was_there() -> None:
    assert redacted(TEXT, search=STYLES["label"]) == [
        "mail [EMAIL], card [CREDIT_CARD], ssn [SSN], call [PHONE]"
    ]


def test_a_hash_is_equal_for_one_value_however_it_is_spelled() -> None:
    first, second, third = redacted(
        "card 4111 1111 1111 1111",
        "card 4111-1111-1111-1111",
        "card 4111 1111 1111 1129",
        search=STYLES["hash"],
    )
    assert re.fullmatch(r"card \[CREDIT_CARD:[a-p]{16}\]", first)
    assert first == second != third


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mail Ann@Example.com", "mail ann@example.com"),
        ("call +1 (212) 555-0100", "call 212.555.0100 x12"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("ssn 123-45-6789", "ssn １２３-45-6789"),
        ("call 415-555-0100", "call ٤١٥-٥٥٥-٠١٠٠"),
    ],
)
def test_spellings_of_one_value_have_one_hash(one: str, other: str) -> None:
    hashes = [re.findall(r"\[.*?\]", text) for text in redacted(one, other, search=STYLES["hash"])]
    assert len(hashes[0]) == 1
    assert hashes[0] == hashes[1]


def test_dots_tell_addresses_apart() -> None:
    one, other = redacted("from 1.23.4.5", "from 12.3.4.5", search=STYLES["hash"])
    assert one != other


def test_tenants_that_share_a_key_share_no_hash() -> None:
    other = Search(placeholder=Hash.of(SECRET, "umbrella"))
    assert redacted("ann@example.com", search=other) != redacted(
        "ann@example.com", search=STYLES["hash"]
    )


def test_the_parts_of_a_split_value_have_the_hash_of_the_whole() -> None:
    whole = redacted("my card is 4111 1111 1111 1111", search=STYLES["hash"])[0].split()[-1]
    parts = redacted("my card is 4111 1111", "1111 1111", search=STYLES["hash"])
    assert parts == [f"my card is {whole}", whole]


@pytest.mark.parametrize("style", STYLES)
def test_redacting_twice_changes_nothing_more(style: str) -> None:
    search = STYLES[style]
    once = redacted("Your phone number, your card?", TEXT, "2125550100", "6789", search=search)
    assert redacted(*once, search=search) == once


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_label_is_no_word_about_a_number(entity: str) -> None:
    text = f"[{entity.upper()}] 123456789"
    assert redacted(text, search=STYLES["label"]) == [text]


def test_what_only_looks_like_a_placeholder_is_redacted() -> None:
    assert redacted("[SSN:123-45-6789]", search=Search()) == ["[SSN:[REDACTED]]"]


def test_a_hash_is_never_taken_for_a_number() -> None:
    texts = [f"card {4_000_000_000_000_000 + 7 * number}" for number in range(200)]
    for text in redacted(*texts, search=STYLES["hash"]):
        assert find(text) == []


def test_no_key_and_no_value_shows() -> None:
    shown = repr(ACME) + repr(STYLES["hash"])
    assert SECRET not in shown
    assert ACME.key.hex() not in shown
    assert repr(ACME.key) not in shown
