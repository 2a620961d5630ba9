"""What holds for every conversation: stable, structure kept, of any shape, in linear time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.pii import redact_transcript
from tasks.pii.placeholders import Hash, label
from tasks.pii.places import filled, places
from tasks.pii.search import Search
from tests.unit.pii.conversations import CONVERSATIONS, parsed

STYLES = [
    Search(),
    Search(placeholder=label),
    Search(placeholder=Hash.of("a key of more than thirty-two characters", "acme")),
]

PHRASES = [
    *("What is your phone number?", "Your social?", "card number please", "your order number?"),
    *("2125550100", "(212) 555-0100", "123-45-6789", "123 45", "6789", "123456789", "12/26"),
    *("4111 1111 1111 1111", "4111", "1111", "4111-1111", "ann@example.com", "ann", "@example.com"),
    *("DE89 3704 0044 0532 0130 00", "2001:db8::1", "10.0.0.1", "call", "order", "card", "and"),
    *("[REDACTED]", "[PHONE]", "[SSN:abcdefghijklmnop]", "+44 20 7946 0958", "２０２", "x12", "?"),
]

said = st.lists(st.sampled_from(PHRASES) | st.text(max_size=6), max_size=6).map(" ".join)
conversations = st.lists(
    st.fixed_dictionaries({"from": st.sampled_from(["a", "c", "b"]), "text": said}), max_size=8
)

names = st.sampled_from(
    [
        "text",
        "content",
        "metadata",
        "normalizedMessage",
        "card",
        "actions",
        "id",
        "from",
        "x",
        "body",
    ]
)
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | said,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(conversations, st.sampled_from(STYLES))
def test_redacting_twice_changes_nothing_more(messages: list[Any], search: Search) -> None:
    once = redact_transcript(messages, search=search)
    again = redact_transcript(once.messages, search=search)
    assert again.messages == once.messages
    assert again.changed == 0


@given(st.lists(shapes, max_size=4))
def test_any_shape_is_read_and_nothing_but_texts_changes(messages: list[Any]) -> None:
    before = json.dumps(messages)
    redacted = redact_transcript(messages).messages
    assert json.dumps(messages) == before
    assert [_without_texts(each) for each in redacted] == [
        _without_texts(each) for each in messages
    ]


@given(conversations)
def test_what_is_left_of_a_text_was_there(messages: list[Any]) -> None:
    for before, after in zip(messages, redact_transcript(messages).messages, strict=True):
        rest = before["text"]
        for kept in after["text"].split("[REDACTED]"):
            assert kept in rest
            rest = rest[rest.index(kept) + len(kept) :]


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("search", STYLES, ids=["redacted", "label", "hash"])
def test_no_labelled_conversation_holds_more_after_it(name: str, search: Search) -> None:
    messages, _ = parsed(CONVERSATIONS[name])
    once = redact_transcript(messages, search=search)
    assert redact_transcript(once.messages, search=search).changed == 0


HOSTILE: dict[str, Callable[[int], dict[str, str]]] = {
    "small talk": lambda at: {"from": "ca"[at % 2], "text": "hello there"},
    "questions and answers": lambda at: {"from": "ca"[at % 2], "text": PHRASES[at % len(PHRASES)]},
    "digits by one side": lambda at: {"from": "c", "text": str(1000 + at % 9000)},
    "a side for each message": lambda at: {"from": str(at), "text": "your card? 4111 1111"},
    "cards with one ending": lambda at: {"from": "ca"[at % 2], "text": f"card 4{at:011d}1111"},
    "emails of all lengths": lambda at: {"from": "c", "text": f"{'b' * (at % 60)}{at}@example.com"},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_with_the_number_of_messages(kind: str) -> None:
    few, many = (_seconds([HOSTILE[kind](at) for at in range(count)]) for count in (2_500, 10_000))
    assert many < max(8 * few, 2.0)


@pytest.mark.parametrize("text", ["6789 ", "4111 1111 1111 1111 ", "ann@example.com ", "1 ", "a@"])
def test_time_grows_with_the_length_of_an_answer(text: str) -> None:
    asked = [
        {"from": "a", "text": "Your e-mail, please, and the last four digits of your card?"},
        {"from": "c", "text": "ann@example.com, 6789"},
        {"from": "a", "text": "And the last four digits of your card?"},
        {"from": "c", "text": "6789"},
    ]
    short, long = (
        _seconds([*asked, {"from": "c", "text": text * (length // len(text))}])
        for length in (10_000, 40_000)
    )
    assert long < 8 * short + 0.2


def _seconds(messages: list[dict[str, str]]) -> float:
    started = time.process_time()
    redact_transcript(messages)
    return time.process_time() - started


def _without_texts(message: Any) -> str:
    return json.dumps(filled(message, [(place, "") for place in places(message)]))
