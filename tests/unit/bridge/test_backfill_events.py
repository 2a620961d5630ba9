"""What an API tells afterwards is, to the rules, what was told live."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tasks.apis.genesys_platform.chat_details import Conversation
from tasks.apis.history import Chat, ChatState, Guest, Party, Span
from tasks.apis.moments import iso
from tests.support.chat_conversations import conversation
from workers.bridge.backfilling import recovered
from workers.bridge.backfilling.earshot import Earshot
from workers.bridge.judging.matching import judge
from workers.bridge.judging.rules import default_rules
from workers.bridge.reading.events import Event, parse
from workers.bridge.reading.moments import milliseconds
from workers.bridge.settings import BridgeSettings
from workers.sandbox.notifications.conversation_events import conversation_changed, queue_id
from workers.sandbox.platform.analytics_details import details

NOW = datetime(2026, 3, 19, 22, 4, 48, 125_000, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPAN = Span(start=NOW - 40 * MINUTE, end=NOW - 20 * MINUTE, look_back=7 * DAY)
IN_IT = NOW - 30 * MINUTE
QUEUE = queue_id("default")
RULES = default_rules()


def live(before: dict[str, Any], after: dict[str, Any]) -> list[Event]:
    """Return the events of a change, as a WebSocket carries them."""
    told = conversation_changed("default", before, after, IN_IT.timestamp())
    return [
        parse(
            json.dumps({"topicName": each.topic, "eventBody": each.body, "timestamp": iso(IN_IT)}),
            "websocket",
        )
        for each in told
    ]


def found(held: dict[str, Any]) -> Chat:
    """Return what analytics tells of a conversation."""
    return Conversation.model_validate(details(held, QUEUE)).value()


def operations(events: Iterable[Event]) -> set[tuple[str, str | None]]:
    """Return what the shipped rules make of events: which operations, by which rules."""
    judged = (judge(event, RULES, "acme", NOW) for event in events)
    return {(one.rule, one.message.operation_id) for each in judged for one in each.wanted}


@pytest.mark.parametrize("ended", [True, False], ids=["it ended", "the agent is there"])
def test_an_end_is_the_same_occurrence_live_and_afterwards(ended: bool) -> None:
    before = {"id": "c-1", **conversation(NOW - DAY, contact="contact-1")}
    after = {
        "id": "c-1",
        **conversation(
            NOW - DAY, contact="contact-1", left=IN_IT, ended=IN_IT + MINUTE if ended else None
        ),
    }
    heard = operations(live(before, after))
    assert {rule for rule, _ in heard} == {"customer-left", "customer-disconnected"}
    assert len({operation for _, operation in heard}) == 1
    assert operations(recovered.ends(found(after), SPAN, SPAN.end)) == heard


def test_a_body_has_the_fields_of_a_live_one_and_no_name() -> None:
    before = {"id": "c-1", **conversation(NOW - DAY, contact="contact-1")}
    after = {"id": "c-1", **conversation(NOW - DAY, contact="contact-1", ended=IN_IT)}
    for each in after["participants"]:
        each["name"] = "Ann Example"
    told = {each.topic: each.body for each in live(before, after)}
    made = {each.topic: each.body for each in recovered.ends(found(after), SPAN, SPAN.end)}
    assert made.keys() == told.keys()
    left = "v2.detail.events.conversation.c-1.customer.end"
    assert made[left] == told[left]
    (queue,) = made.keys() - {left}
    (customer,) = made[queue]["participants"]
    shown = {k: v for k, v in told[queue]["participants"][0].items() if k in customer}
    assert customer == shown
    assert {"purpose", "state", "endTime", "externalContact", "queue"} <= customer.keys()
    assert "Ann" not in json.dumps([*made.values()])


def test_attributes_are_the_same_state_live_and_afterwards() -> None:
    before = {"id": "c-1", **conversation(NOW - DAY, contact="contact-1")}
    after = copy.deepcopy(before)
    after["participants"][0]["attributes"] = {"tier": "gold", "lang": "no"}
    state = ChatState(
        parties=[
            Party(id="customer", attributes={"lang": "no", "tier": "gold"}),
            Party(id="agent", attributes={}),
        ],
        contacts=["contact-1"],
    )
    read = SPAN.end + MINUTE
    events = [*recovered.attributes("c-1", state, SPAN.end, read)]
    assert [each.at for each in events] == [read]
    assert [each.body["eventTime"] for each in events] == [milliseconds(SPAN.end)]
    heard = {each for each in operations(live(before, after)) if each[0] == "attributes-changed"}
    assert operations(events) == heard
    assert len(heard) == 1


def test_each_customer_who_left_is_told_and_the_last_of_them_by_the_queue() -> None:
    first = Guest(id="g-1", purpose="customer", left=IN_IT - MINUTE)
    second = Guest(id="g-2", purpose="external", left=IN_IT)
    earlier = Guest(id="g-3", purpose="customer", left=SPAN.start - MINUTE)
    there = Guest(id="g-4", purpose="customer")
    chat = Chat(id="c-1", over=False, guests=[first, second, earlier, there], queues=["q-1", "q-2"])
    *ends, one, other = recovered.ends(chat, SPAN, SPAN.end)
    assert [(each.body["participantId"], each.at) for each in ends] == [
        ("g-1", IN_IT - MINUTE),
        ("g-2", IN_IT),
    ]
    assert [one.at, other.at] == [IN_IT, IN_IT]
    assert [each["state"] for each in one.body["participants"]] == [
        *["disconnected"] * 3,
        "connected",
    ]
    assert other.topic == "v2.routing.queues.q-2.conversations.messages"


def test_who_left_at_another_time_is_not_told() -> None:
    for left in (None, SPAN.start - MINUTE, SPAN.end + MINUTE):
        chat = Chat(id="c-1", over=False, guests=[Guest(id="g", purpose="customer", left=left)])
        assert [*recovered.ends(chat, SPAN, SPAN.end)] == []


def test_an_end_without_a_moment_tells_none_and_is_not_too_old() -> None:
    events = [*recovered.ends(Chat(id="c-1", over=True), SPAN, NOW - MINUTE, ["q-1"])]
    assert [each.at for each in events] == [NOW - MINUTE] * 2
    assert "eventTime" not in events[0].body
    wanted = [one for each in events for one in judge(each, RULES, "acme", NOW).wanted]
    assert [each.occurrence.value for each in wanted] == ["", ""]
    assert len({each.message.operation_id for each in wanted}) == 1


# Whose chats

SECRET = SecretStr("a secret of some length")


@pytest.mark.parametrize(
    ("settings", "queues", "is_heard"),
    [
        ({"secret": SECRET}, ["q-1"], True),
        ({"secret": SECRET, "queues": ["q-2"]}, ["q-1"], True),
        ({"queues": ["q-1"]}, ["q-1"], True),
        ({"queues": ["q-2"]}, ["q-0", "q-2"], True),
        ({"queues": ["q-2"]}, ["q-1"], False),
        ({"queues": ["q-2"]}, [], False),
        ({"queues": ["q-2"]}, None, True),
        ({"conversations": ["c-1"]}, [], True),
        ({"conversations": ["c-2"]}, ["q-1"], False),
        ({"contacts": ["c-1"]}, None, False),
        ({"topics": ["v2.detail.events.conversation.c-1.attributes"]}, [], True),
        ({"topics": ["v2.routing.queues.q-1.conversations.messages"]}, ["q-1"], True),
        ({"topics": ["v2.routing.queues.q-1.conversations.calls"]}, ["q-1"], False),
    ],
)
def test_a_chat_is_recovered_where_the_settings_hear_of_it(
    settings: dict[str, Any], queues: list[str] | None, is_heard: bool
) -> None:
    earshot = Earshot.of(BridgeSettings.model_validate(settings))
    assert earshot.holds(Chat(id="c-1", over=True, queues=queues)) == is_heard
