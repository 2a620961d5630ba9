"""Where a message holds text, and that nothing else of it changes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tasks.pii import redact_transcript
from tasks.pii.places import TEXTS, filled, places

MAIL = "ann@example.com"
GONE = "[REDACTED]"

#: Fields that hold text, by their path, in messages of either contract.
HELD: list[dict[str, Any]] = [
    {"text": MAIL},
    {"textBody": MAIL},
    {"normalizedMessage": {"text": MAIL}},
    {"normalizedMessage": {"content": [{"text": {"body": MAIL}}]}},
    {"content": [{"contentType": "QuickReply", "quickReply": {"text": MAIL, "payload": MAIL}}]},
    {"content": [{"quickReplyV2": {"title": MAIL, "actions": [{"text": MAIL}]}}]},
    {"content": [{"buttonResponse": {"text": MAIL, "payload": MAIL}}]},
    {"content": [{"card": {"title": MAIL, "description": MAIL, "actions": [{"text": MAIL}]}}]},
    {"content": [{"carousel": {"cards": [{"title": MAIL, "defaultAction": {"payload": MAIL}}]}}]},
    {"content": [{"attachment": {"filename": MAIL, "text": MAIL}}]},
    {"content": [{"template": {"body": {"text": MAIL, "parameters": [{"text": MAIL}]}}}]},
    {"content": [{"form": {"response": [{"component": {"buttonResponse": {"text": MAIL}}}]}}]},
    {"content": [{"location": {"address": MAIL, "text": MAIL}}]},
    {"attachments": [{"name": MAIL}]},
    {"media": [{"name": MAIL}]},
    {"quickReplies": [MAIL, {"text": MAIL}]},
    {"metadata": {"note": MAIL, "deep": {"list": [MAIL, {"a": MAIL}]}}},
    {"normalizedMessage": {"metadata": {"email": MAIL}}},
    {"relatedMessages": [{"text": MAIL, "metadata": {"a": MAIL}}]},
]

#: Fields that are no text, wherever they stand.
KEPT: list[dict[str, Any]] = [
    {"id": MAIL, "type": MAIL, "from": MAIL, "to": MAIL, "timestamp": MAIL},
    {"fromAddress": MAIL, "toAddress": MAIL, "direction": MAIL, "conversationId": MAIL},
    {"custom": {"text": MAIL}, "unknown": [MAIL]},
    {"channel": {"from": {"email": MAIL}, "messageId": MAIL}},
    {"content": [{"attachment": {"id": MAIL, "url": MAIL, "sha256": MAIL}}]},
    {"content": [{"card": {"image": MAIL, "actions": [{"url": MAIL, "type": MAIL}]}}]},
    {"content": [{"contentType": MAIL}], "normalizedMessage": {"id": MAIL, "originatingEntity": 1}},
    {"text": {"email": MAIL}, "metadata": {MAIL: 1}},
]


@pytest.mark.parametrize("message", HELD, ids=json.dumps)
def test_every_place_of_text_is_redacted(message: dict[str, Any]) -> None:
    redacted = redact_transcript([{"id": "1", **message}])
    assert json.dumps(redacted.messages[0]) == json.dumps({"id": "1", **message}).replace(
        MAIL, GONE
    )
    assert redacted.findings == {"email": json.dumps(message).count(MAIL)}


@pytest.mark.parametrize("message", KEPT, ids=json.dumps)
def test_ids_addresses_and_unknown_fields_stay(message: dict[str, Any]) -> None:
    redacted = redact_transcript([message])
    assert redacted.messages[0] is message
    assert redacted.changed == 0


def test_what_was_read_is_not_changed_and_what_holds_nothing_is_shared() -> None:
    metadata = {"a": [MAIL], "b": {"c": 1}}
    message: dict[str, Any] = {"text": MAIL, "metadata": metadata, "channel": {"id": 1}}
    before = copy.deepcopy(message)
    (redacted,) = redact_transcript([message]).messages
    assert message == before
    assert list(redacted) == list(message)
    assert redacted["channel"] is message["channel"]
    assert redacted["metadata"]["b"] is message["metadata"]["b"]


def test_a_metadata_value_answers_to_its_name() -> None:
    metadata = {"callbackNumber": "123 456 7890", "orderId": "2125550101", "ssn": "123456789"}
    (redacted,) = redact_transcript([{"metadata": metadata}]).messages
    assert redacted["metadata"] == {"callbackNumber": GONE, "orderId": "2125550101", "ssn": GONE}


@pytest.mark.parametrize("odd", [None, 1, "ann@example.com", [], [{"text": MAIL}], {}, [[MAIL]]])
def test_a_message_of_any_shape_is_read(odd: Any) -> None:
    (redacted,) = redact_transcript([odd]).messages
    assert json.dumps(redacted) == json.dumps(odd).replace(MAIL, GONE)


def test_no_depth_stops_it() -> None:
    message: dict[str, Any] = {"text": MAIL}
    for _ in range(20_000):
        message = {"relatedMessages": [message]}
    (redacted,) = redact_transcript([message]).messages
    for _ in range(20_000):
        redacted = redacted["relatedMessages"][0]
    assert redacted == {"text": GONE}


def test_a_place_says_where_it_is() -> None:
    message = {"content": [{"card": {"title": "a", "actions": [{"text": "b"}]}}], "text": "c"}
    assert [each.path for each in places(message)] == [
        "content.0.card.title",
        "content.0.card.actions.0.text",
        "text",
    ]


def test_texts_are_put_back_in_their_places() -> None:
    message = {"text": "a", "metadata": {"b": ["c", "d"]}}
    put = [(each, each.text.upper()) for each in places(message)]
    assert filled(message, put) == {"text": "A", "metadata": {"b": ["C", "D"]}}
    assert filled(message, []) is message


def test_the_table_names_no_identifier() -> None:
    fields = set().union(*TEXTS.values())
    assert not fields & {"id", "url", "type", "timestamp", "from", "to", "sha256", "direction"}
