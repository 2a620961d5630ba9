"""Conversations in order: questions and replies, split and repeated values."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.pii import redact_transcript
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
