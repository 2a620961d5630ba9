from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.errors import Rejected
from tests.support.raw_messages import raw
from workers.consuming import envelope

HEADERS = {"task": "set_attributes", "id": "m-1"}
STEP = {"task": "sync_profile", "args": [], "kwargs": {}, "options": {}}


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_a_whole_message_is_read_as_it_is() -> None:
    content = raw([[], {"a": 1}, {}])
    assert envelope.read(content) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "message: is no JSON"),
        (b"\xff", "message: is no JSON"),
        (b'{"a": {"__type__": "decimal", "__value__": "x"}}', "message: is no JSON"),
        (b"[]", "Input should be a valid dictionary"),
        (raw([], without=["body"]), "body: is required"),
        (raw([], changes={"headers": []}), "headers: Input should be a valid dictionary"),
        (raw([], changes={"body": "a"}), "body: is no base64"),
        (raw([], properties={"delivery_tag": 5}), "properties.delivery_tag: "),
        (raw([], properties={"body_encoding": "rot13"}), "properties.body_encoding: "),
        (raw([], changes={"content-type": None}), "content-type: "),
    ],
)
def test_what_is_no_message_is_refused_with_the_field_and_the_rule(
    content: bytes, reason: str
) -> None:
    with pytest.raises(Rejected) as refused:
        envelope.read(content)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (HEADERS, ([], {}, {})),
        (HEADERS, ([], {}, None)),
        ({**HEADERS, "eta": "2026-01-01T00:00:00+00:00", "timelimit": [None, 30]}, ([], {}, {})),
        ({**HEADERS, "retries": 3, "a-header-of-others": [1]}, ([], {}, {})),
        (HEADERS, ([], {}, {"chain": [STEP], "chord": STEP, "callbacks": [], "errbacks": None})),
        (HEADERS, ([], {"deep": nested(62)}, {})),
    ],
)
def test_what_celery_can_take_passes(headers: dict[str, Any], body: Any) -> None:
    envelope.check(headers, body)


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"id": "m-1"}, ([], {}, {}), "headers.task: is required"),
        ({"task": "t"}, ([], {}, {}), "headers.id: is required"),
        ({**HEADERS, "id": "a/b"}, ([], {}, {}), "headers.id: must be 1 to 128"),
        ({**HEADERS, "retries": -1}, ([], {}, {}), "headers.retries: "),
        ({**HEADERS, "timelimit": [1]}, ([], {}, {}), "headers.timelimit: "),
        ({**HEADERS, "group": {}}, ([], {}, {}), "headers.group: "),
        (HEADERS, None, "body: must be [args, kwargs, embed]"),
        (HEADERS, ([], {}), "body: must be [args, kwargs, embed]"),
        (HEADERS, ({}, {}, {}), "body.args: "),
        (HEADERS, ([], [], {}), "body.kwargs: "),
        (HEADERS, ([], {}, {"chain": [5]}), "body.embed.chain.0: "),
        (HEADERS, ([], {}, {"chord": {}}), "body.embed.chord.task: is required"),
        (HEADERS, ([], {"deep": nested(63)}, {}), "message: must not be nested more than 64"),
    ],
)
def test_what_celery_would_stumble_over_is_refused(
    headers: dict[str, Any], body: Any, reason: str
) -> None:
    with pytest.raises(Rejected) as refused:
        envelope.check(headers, body)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("value", "levels", "deeper"),
    [(1, 0, False), ([], 0, True), ([], 1, False), ([{"a": [1]}], 2, True), ([[], [[]]], 2, True)],
)
def test_depth_counts_lists_and_objects(value: Any, levels: int, deeper: bool) -> None:
    assert envelope.deeper(value, levels) is deeper
