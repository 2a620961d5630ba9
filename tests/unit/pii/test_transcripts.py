"""Conversations in order: questions and replies, split and repeated values."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.pii import redact_transcript
from tasks.pii.search import Search
from tasks.pii.transcripts import search_transcript
from tests.unit.pii.conversations import CONVERSATIONS, parsed


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_keeps_all_but_its_personal_data(name: str) -> None:
    messages, left = parsed(CONVERSATIONS[name])
    assert [each["text"] for each in redact_transcript(messages).messages] == left


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_both_contracts_tell_the_sides_alike(name: str) -> None:
    messages, left = parsed(CONVERSATIONS[name])
    if any(each["from"] == "b" for each in messages):
        return
    directions = {"a": "Outbound", "c": "Inbound"}
    normalized: list[dict[str, Any]] = [
        {"normalizedMessage": {"direction": directions[each["from"]], "text": each["text"]}}
        for each in messages
    ]
    redacted = redact_transcript(normalized).messages
    assert [each["normalizedMessage"]["text"] for each in redacted] == left


def test_nothing_that_is_printed_on_the_way_holds_a_value_or_an_address() -> None:
    messages: list[dict[str, Any]] = [
        {"from": "bob@example.com", "text": "Your card?", "metadata": {"a": "ann@example.com"}},
        {"from": "+442079460958", "text": "4111 1111"},
        {"from": "+442079460958", "text": "1111 1111, 123-45-6789"},
    ]
    lines = search_transcript(messages, Search())
    shown = repr(lines) + repr(redact_transcript(messages))
    assert sum(len(line.found) for line in lines) == 4
    assert not any(value in shown for value in ("example.com", "1111", "123-45", "7946"))


def test_who_speaks_is_told_by_direction_before_the_sender() -> None:
    messages = [
        {"from": "queue", "direction": "outbound", "text": "Your social security number?"},
        {"from": "queue", "direction": "inbound", "text": "123456789"},
    ]
    assert redact_transcript(messages).findings == {"ssn": 1}


def test_an_originating_entity_is_outbound() -> None:
    question: dict[str, Any] = {"originatingEntity": "Bot", "text": "Your social security number?"}
    reply = {"direction": "Inbound", "text": "123456789"}
    own = {"direction": "Outbound", "text": "123456789"}
    assert redact_transcript(
        [{"normalizedMessage": question}, {"normalizedMessage": reply}]
    ).changed
    assert not redact_transcript([{"normalizedMessage": question}, own]).changed


def test_where_nobody_says_who_speaks_a_question_is_to_everybody() -> None:
    messages = [{"text": "Your social security number?"}, {"text": "123456789"}]
    assert redact_transcript(messages).findings == {"ssn": 1}
