"""What an event is said to tell is what the bridge's default rules make one message of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pytest

from workers.bridge.judging.matching import Wanted, judge
from workers.bridge.judging.rules import default_rules
from workers.bridge.reading.events import parse
from workers.sandbox.testing import ManualClock, SandboxHandle

ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
#: The kinds of occurrences that a message comes of.
TASKS = {
    "attributes": "sync_profile",
    "ended": "redact_interaction",
    "merged": "sync_profile",
}
CONTRACTS = ["platform", "guide"]
STREAM: dict[str, Any] = {
    "rate": 200,
    "events": 800,
    "duplicates": 0.2,
    "reordered": 0.3,
    "repeated": 0.4,
}


@pytest.fixture(params=CONTRACTS)
def streamed(
    request: pytest.FixtureRequest, sandbox: SandboxHandle, clock: ManualClock
) -> list[dict[str, Any]]:
    """The events of an untidy stream."""
    sandbox.start_stream(**STREAM, contract=request.param)
    clock.advance(60)
    return sandbox.events(contract=request.param)


def wanted(event: dict[str, Any], clock: ManualClock) -> Wanted | None:
    """The message that comes of an event."""
    told = parse(json.dumps(event["detail"]), "websocket")
    judgement = judge(told, default_rules(), "default", datetime.fromtimestamp(clock.now, UTC))
    assert judgement.dropped == ()
    return judgement.wanted[0] if judgement.wanted else None


def test_one_message_comes_of_each_occurrence_of_three_kinds(
    streamed: list[dict[str, Any]], clock: ManualClock
) -> None:
    operations: dict[str, set[str]] = defaultdict(set)
    occurrences: dict[str, set[str]] = defaultdict(set)
    for event in streamed:
        occurrence, found = event["occurrence"], wanted(event, clock)
        kind = occurrence.split(":")[0]
        assert (found is not None) == (kind in TASKS), occurrence
        if found:
            assert found.message.task == TASKS[kind]
            operations[occurrence].add(found.occurrence.operation_id)
            occurrences[found.occurrence.operation_id].add(occurrence)
    assert {each.split(":")[0] for each in operations} == TASKS.keys()
    assert all(len(each) == 1 for each in operations.values())
    assert all(len(each) == 1 for each in occurrences.values())


def test_of_one_end_the_customer_and_the_queue_tell_one_occurrence(
    streamed: list[dict[str, Any]],
) -> None:
    templates: dict[str, set[str]] = defaultdict(set)
    for event in streamed:
        templates[event["occurrence"]].add(event["template"])
    ended = [each for name, each in templates.items() if name.startswith("ended:")]
    assert ended
    assert all(len(each) == 2 for each in ended)


def states(streamed: list[dict[str, Any]]) -> Iterator[list[tuple[int, str]]]:
    """What was told of each participant's attributes, in the order of its moments."""
    told: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    for event in streamed:
        if event["template"] == ATTRIBUTES:
            body = event["detail"]["eventBody"]
            key = (body["conversationId"], body["participantId"])
            told[key].add((body["eventTime"], event["occurrence"]))
    return (sorted(each) for each in told.values())


def test_what_is_told_again_shows_no_state_that_was_replaced_already(
    streamed: list[dict[str, Any]],
) -> None:
    again = 0
    for told in states(streamed):
        moments = [at for at, _ in told]
        assert len(moments) == len({*moments})
        runs = [state for state, _ in groupby(state for _, state in told)]
        assert len(runs) == len({*runs})
        again += len(told) - len(runs)
    assert again > 20
