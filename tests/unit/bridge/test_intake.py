"""What becomes of events, whichever source they come from."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.errors import BrokerAway, UnreadableEvent
from tests.support.arriving import NOW, SOURCE, Shelf, enveloped, intake, left
from tests.unit.bridge.test_metrics import samples
from workers.bridge.intake import Taken, check_origin
from workers.bridge.reading.events import Event, Source, parse
from workers.bridge.watching.metrics import BridgeMetrics
from workers.bridge.watching.seldom import PERIOD, Seldom
from workers.sandbox.testing import ManualClock


def event(notification: dict[str, Any], source: Source = "websocket") -> Event:
    return parse(json.dumps(notification), source)


def test_what_the_rules_want_is_put_together_and_counted() -> None:
    shelf, metrics = Shelf(), BridgeMetrics()
    events = [
        event(left("c-1")),
        event(left("c-1")),
        event(left("c-2", mediaType="VOICE")),
        event(left("c-3", at=NOW - timedelta(days=6))),
    ]
    taken = asyncio.run(intake(shelf, metrics).take("acme", events))

    assert taken == Taken(events=4, enqueued=1, duplicates=1, dropped=1, unmatched=1)
    assert shelf.subjects == {"c-1": 1}
    found = samples(metrics)
    assert found["events_total", "websocket", "acme"] == 4
    assert found["enqueued_total", "customer-left", "acme"] == 1
    assert found["duplicates_total", "customer-left", "acme"] == 1
    assert found["dropped_total", "too old", "customer-left", "acme"] == 1
    template = "v2.detail.events.conversation.{id}.customer.end"
    assert found["unmatched_total", template, "acme"] == 1
    assert found["lag_seconds_count", "websocket"] == 4
    assert found["lag_seconds_bucket", "1.0", "websocket"] == 3


def test_a_message_carries_the_correlation_id_of_its_event() -> None:
    shelf = Shelf()
    asyncio.run(intake(shelf).take("acme", [event(left("c-1"))]))
    assert shelf.put_on[0].message.correlation_id == "request-c-1"
    assert shelf.put_on[0].message.tenant == "acme"


def test_reasons_are_counted_without_what_they_are_about() -> None:
    metrics = BridgeMetrics()
    without_subject = left("c-1", conversationId=None)
    not_an_id = left("c-1", conversationId="../c-1")
    taking = intake(Shelf(), metrics).take("acme", [event(without_subject), event(not_an_id)])
    assert asyncio.run(taking).dropped == 2
    found = samples(metrics)
    assert found["dropped_total", "missing", "customer-left", "acme"] == 1
    assert found["dropped_total", "invalid", "customer-left", "acme"] == 1


def test_the_services_own_messages_are_passed_over() -> None:
    metrics = BridgeMetrics()
    heartbeat = {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}
    taken = asyncio.run(intake(Shelf(), metrics).take("acme", [event(heartbeat)]))
    assert taken == Taken()
    assert metrics.snapshot("acme")["counts"] == {}


def test_without_a_broker_nothing_counts_as_taken() -> None:
    shelf, metrics = Shelf(away=True), BridgeMetrics()
    taking = intake(shelf, metrics)

    async def story() -> None:
        for _ in range(3):
            with pytest.raises(BrokerAway):
                await taking.take("acme", [event(left("c-1")), event(left("c-9", mediaType="x"))])
        assert samples(metrics)["broker_away",] == 1
        shelf.away = False
        await taking.take("acme", [event(left("c-1"))])

    with capture_logs() as logged:
        asyncio.run(story())
    assert metrics.snapshot("acme")["counts"] == {"received": 7, "enqueued": 1}
    assert samples(metrics)["broker_away",] == 0
    assert [line["event"] for line in logged] == ["bridge.broker_away", "bridge.broker_there"]


def test_a_broker_that_does_not_answer_is_away() -> None:
    async def story() -> None:
        shelf = Shelf(gate=asyncio.Event())
        with pytest.raises(BrokerAway):
            await intake(shelf).take("acme", [event(left("c-1"))], within=0.01)

    asyncio.run(story())


def test_others_have_their_turn_while_many_events_are_judged() -> None:
    async def story() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        going = asyncio.create_task(other())
        await intake(Shelf()).take("acme", [event(left(mediaType="VOICE"))] * 1_000)
        going.cancel()
        return turns

    assert asyncio.run(story()) >= 10


@pytest.mark.parametrize(
    ("source", "named", "sources", "is_refused"),
    [
        ("eventbridge", f"{SOURCE}/bus", (SOURCE,), False),
        ("eventbridge", f"{SOURCE}/bus", (f"{SOURCE}/other", f"{SOURCE}/b"), False),
        ("eventbridge", f"{SOURCE}/bus", (f"{SOURCE}/other",), True),
        ("eventbridge", f"{SOURCE}/bus", (), False),
        ("eventbridge", None, (SOURCE,), True),
        ("eventbridge", None, (), False),
        ("file", f"{SOURCE}/bus", (f"{SOURCE}/other",), True),
        ("file", None, (SOURCE,), False),
        ("websocket", None, (SOURCE,), False),
    ],
)
def test_an_event_of_a_foreign_source_is_refused(
    source: Source, named: str | None, sources: tuple[str, ...], is_refused: bool
) -> None:
    notification = left() if named is None else enveloped(left(), named)
    if is_refused:
        with pytest.raises(UnreadableEvent, match="foreign source"):
            check_origin(event(notification, source), sources)
    else:
        check_origin(event(notification, source), sources)


def test_a_flood_of_bad_events_is_no_flood_of_lines() -> None:
    taking = intake(Shelf())
    old = [event(left(at=NOW - timedelta(days=6)))] * 1_000
    with capture_logs() as logged:
        for _ in range(1_000):
            taking.unreadable("acme", "eventbridge", "not JSON")
        asyncio.run(taking.take("acme", old))
    assert logged == [
        {
            "event": "bridge.event_unreadable",
            "log_level": "info",
            "tenant": "acme",
            "source": "eventbridge",
            "reason": "not JSON",
        },
        {
            "event": "bridge.event_dropped",
            "log_level": "info",
            "tenant": "acme",
            "rule": "customer-left",
            "reason": "too old",
        },
    ]


def test_what_was_left_out_of_the_log_is_counted_by_its_next_line() -> None:
    clock = ManualClock()
    seldom = Seldom(clock)
    with capture_logs() as logged:
        for _ in range(5):
            seldom.info("bridge.event_unreadable", reason="no topic")
        seldom.info("bridge.event_unreadable", reason="no body")
        clock.advance(PERIOD)
        seldom.info("bridge.event_unreadable", reason="no topic")
    told = [(line["reason"], line.get("left_out")) for line in logged]
    assert told == [("no topic", None), ("no body", None), ("no topic", 4)]


def test_no_line_says_what_an_event_holds() -> None:
    taking = intake(Shelf())
    told: dict[str, Any] = {
        "attributes": {"mail": "jane@example.com"},
        "conversationId": "jane/doe",
    }
    with capture_logs() as logged:
        asyncio.run(taking.take("acme", [event(left("jane-1", **told)), event(left("jane-2"))]))
    assert [line["event"] for line in logged] == ["bridge.event_dropped"]
    assert "jane" not in str(logged)
