"""What comes in is an event or unreadable, whatever it is; nothing else happens to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UnreadableEvent
from workers.bridge.reading import events
from workers.bridge.reading.events import Event, is_service_message, parse
from workers.bridge.reading.moments import EPOCH, milliseconds, moment

CONVERSATION = "4f0b2c7c-7f0e-4c7f-9f0a-0c5b8f1f2a3b"
TOPIC = f"v2.detail.events.conversation.{CONVERSATION}.attributes"
TEMPLATE = "v2.detail.events.conversation.{id}.attributes"
ORIGIN = "aws.partner/genesys.com/cloud/org-1/prod"
HAPPENED = datetime(2022, 4, 6, 9, 31, 44, 949_000, tzinfo=UTC)
BODY = {"eventTime": 1_649_237_504_949, "conversationId": CONVERSATION, "attributes": {"k": "v"}}
BARE = {
    "topicName": TOPIC,
    "version": "2",
    "eventBody": BODY,
    "metadata": {"CorrelationId": "0b1c-2d"},
    "timestamp": "2022-04-06T09:30:45.013Z",
}
ENVELOPE = {
    "version": "0",
    "id": "e-1",
    "detail-type": TEMPLATE,
    "source": ORIGIN,
    "account": "123456789012",
    "time": "2026-03-19T22:04:48Z",
    "region": "us-east-2",
    "resources": [],
    "detail": BARE,
}
REASONS = {
    "not JSON",
    "no topic",
    "no body",
    "no moment",
    "wrong type",
    "unknown version",
    "too large",
    "nested too deeply",
}


def read(value: Any) -> Event:
    return parse(json.dumps(value), "file")


def bare(**changes: Any) -> dict[str, Any]:
    """The notification with other fields; None leaves one out."""
    return {name: value for name, value in {**BARE, **changes}.items() if value is not None}


def enveloped(detail: dict[str, Any] = BARE, **changes: Any) -> dict[str, Any]:
    changed = {**ENVELOPE, "detail": detail, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def refusal(raw: bytes | str) -> str:
    with pytest.raises(UnreadableEvent) as refused:
        parse(raw, "file")
    return refused.value.reason


def test_a_bare_notification_is_read() -> None:
    assert parse(json.dumps(BARE).encode(), "websocket") == Event(
        topic=TOPIC, body=BODY, at=HAPPENED, source="websocket", correlation_id="0b1c-2d"
    )


def test_an_envelope_tells_the_same_and_where_it_comes_from() -> None:
    assert parse(json.dumps(ENVELOPE), "eventbridge") == Event(
        topic=TOPIC,
        body=BODY,
        at=HAPPENED,
        source="eventbridge",
        correlation_id="0b1c-2d",
        origin=ORIGIN,
    )


def test_a_notification_without_a_topic_has_that_of_its_envelope() -> None:
    assert read(enveloped(bare(topicName=None))).topic == TEMPLATE


@pytest.mark.parametrize(
    ("event", "at"),
    [
        (bare(), HAPPENED),
        (bare(eventBody={"eventTime": 1_649_237_504_949.0}), HAPPENED),
        (bare(eventBody={"eventTime": "2022-04-06T09:31:44.949Z"}), HAPPENED),
        (bare(eventBody={"eventTime": "2022-04-06T11:31:44.949+02:00"}), HAPPENED),
        (bare(eventBody={}), datetime(2022, 4, 6, 9, 30, 45, 13_000, tzinfo=UTC)),
        (bare(eventBody={"eventTime": []}), datetime(2022, 4, 6, 9, 30, 45, 13_000, tzinfo=UTC)),
        (
            enveloped(bare(eventBody={}, timestamp=None)),
            datetime(2026, 3, 19, 22, 4, 48, tzinfo=UTC),
        ),
        (
            enveloped(bare(eventBody={}, timestamp="yesterday")),
            datetime(2026, 3, 19, 22, 4, 48, tzinfo=UTC),
        ),
    ],
)
def test_it_happened_when_the_innermost_of_its_moments_says(
    event: dict[str, Any], at: datetime
) -> None:
    found = read(event).at
    assert found == at
    assert found.tzinfo == UTC


def test_without_a_moment_it_happened_when_it_was_received() -> None:
    event = json.dumps(bare(eventBody={}, timestamp=None))
    assert parse(event, "websocket", HAPPENED).at == HAPPENED


@pytest.mark.parametrize(
    "correlation", [None, {}, [], {"CorrelationId": 5}, {"CorrelationId": "a/../b"}]
)
def test_what_is_no_usable_correlation_id_is_none(correlation: Any) -> None:
    assert read({**BARE, "metadata": correlation}).correlation_id is None


@pytest.mark.parametrize("source", [None, 5, ["a"], "a\nb", "a" * 300])
def test_what_is_no_usable_origin_is_none(source: Any) -> None:
    assert read({**ENVELOPE, "source": source}).origin is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("\ud800", "not JSON"),
        (json.dumps(BARE).encode("utf-16"), "not JSON"),
        (json.dumps(BARE).replace("1649237504949", "NaN"), "not JSON"),
        (json.dumps(BARE).replace("1649237504949", "-Infinity"), "not JSON"),
        (json.dumps(BARE).replace("1649237504949", "9" * 5_000), "not JSON"),
        (b"[]", "wrong type"),
        (b'"text"', "wrong type"),
        (b"null", "wrong type"),
        (b"{}", "no topic"),
        (b'{"detail": []}', "wrong type"),
        (b'{"detail": {}}', "no topic"),
        (json.dumps(bare(topicName=5)), "wrong type"),
        (json.dumps(bare(topicName="")), "no topic"),
        (json.dumps(bare(topicName="v2.a..b")), "no topic"),
        (json.dumps(bare(topicName="v2.a\n")), "no topic"),
        (json.dumps(bare(topicName="v2." + "a" * 300)), "no topic"),
        (json.dumps(enveloped(bare(topicName=None), **{"detail-type": 5})), "wrong type"),
        (json.dumps(bare(eventBody=None)), "no body"),
        (json.dumps(bare(eventBody=[])), "wrong type"),
        (json.dumps(bare(eventBody="text")), "wrong type"),
        (json.dumps(bare(version="3")), "unknown version"),
        (json.dumps(bare(version=2)), "wrong type"),
        (json.dumps(enveloped(version="1")), "unknown version"),
        (json.dumps(enveloped(version=0)), "wrong type"),
        (json.dumps(enveloped(bare(version="1"))), "unknown version"),
        (json.dumps(bare(eventBody={}, timestamp=None)), "no moment"),
        (json.dumps(bare(eventBody={"eventTime": True}, timestamp={})), "no moment"),
        (json.dumps(bare(eventBody={"eventTime": "2022-04-06T09:31:44"}, timestamp=5e300)), ""),
    ],
)
def test_what_is_no_event_is_refused_with_one_of_few_reasons(raw: bytes | str, reason: str) -> None:
    assert refusal(raw) == (reason or "no moment")


@pytest.mark.parametrize("told", [10**400, -(10**18), 1e308, 9e15, "0001-01-01T00:00:00+14:00"])
def test_what_lies_beyond_all_years_is_no_moment(told: Any) -> None:
    assert moment(told) is None
    assert refusal(json.dumps(bare(eventBody={"eventTime": told}, timestamp=None))) == "no moment"


def test_versions_may_be_left_out() -> None:
    assert read(enveloped(bare(version=None), version=None)) == read(ENVELOPE)


def test_of_two_fields_with_one_name_the_last_counts() -> None:
    twice = json.dumps(BARE).replace('"version": "2"', '"topicName": "v2.users.u-1.presence"')
    assert parse(twice, "file").topic == "v2.users.u-1.presence"


@pytest.mark.parametrize("fill", ["a", "\u00e4"])
def test_more_than_a_megabyte_is_not_even_parsed(
    fill: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(_: str) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(events, "_decode", parsed)
    large = fill * (events.MAX_EVENT_BYTES // len(fill.encode()) + 1)
    assert refusal(large) == "too large"
    assert refusal(large.encode()) == "too large"
    assert refusal(b" " * 2_000_000) == "too large"


def test_a_megabyte_is_read() -> None:
    content = json.dumps(BARE).encode()
    assert parse(content.ljust(events.MAX_EVENT_BYTES), "file").topic == TOPIC


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [events.MAX_DEPTH, 10_000])
def test_what_is_nested_too_deeply_is_refused(begin: str, end: str, levels: int) -> None:
    deep = json.dumps(BARE).replace('"v"', begin * levels + "1" + end * levels)
    assert refusal(deep) == "nested too deeply"


def test_what_is_long_but_not_deep_is_read() -> None:
    many = [{"id": [n]} for n in range(events.MAX_DEPTH)]
    assert read(bare(eventBody={**BODY, "communications": many})).body["communications"] == many


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ({"eventBody": {"message": "WebSocket Heartbeat"}}, "channel.metadata"),
        ({"eventBody": {"message": "pong"}}, "channel.metadata"),
        ({}, "v2.system.socket_closing"),
        ({"eventBody": {}}, "v2.system.token_revoked.c-1"),
    ],
)
def test_messages_of_the_service_need_neither_body_nor_moment(
    message: dict[str, Any], topic: str
) -> None:
    event = read({"topicName": topic, **message})
    assert is_service_message(event.topic)
    assert event.body == message.get("eventBody", {})
    assert event.at == EPOCH


def test_events_are_no_messages_of_the_service() -> None:
    assert not is_service_message(TOPIC)
    assert not is_service_message("v2.systemic.id")


def test_a_body_is_not_shown() -> None:
    assert "attributes" not in repr(read(BARE)).replace(TOPIC, "")


names = st.sampled_from(
    ["detail", "detail-type", "topicName", "eventBody", "eventTime", "version", "metadata", "time"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(categories=None)),
    st.sampled_from(["0", "2", TOPIC, TEMPLATE, "2026-03-19T22:04:48Z", 1_649_237_504_949]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(names, st.text()), inner, max_size=6)
    ),
    max_leaves=25,
)


@st.composite
def nearly_events(draw: st.DrawFn) -> Any:
    """An event with anything in the place of some of its fields."""
    inner = {**BARE, **draw(st.dictionaries(st.sampled_from([*BARE]), values))}
    if draw(st.booleans()):
        return inner
    return {
        **ENVELOPE,
        "detail": inner,
        **draw(st.dictionaries(st.sampled_from([*ENVELOPE]), values)),
    }


def is_read_or_refused(raw: bytes | str) -> None:
    try:
        event = parse(raw, "file")
    except UnreadableEvent as error:
        refused = error
    else:
        assert event.at.tzinfo == UTC
        assert event.topic.isprintable()
        assert isinstance(event.body, dict)
        return
    assert refused.reason in REASONS
    assert str(refused) == refused.reason


@given(st.one_of(values, nearly_events()))
def test_any_json_is_an_event_or_unreadable(value: Any) -> None:
    is_read_or_refused(json.dumps(value))


@given(st.one_of(st.binary(), st.text(st.characters(categories=None))))
def test_any_bytes_and_any_text_are_an_event_or_unreadable(raw: bytes | str) -> None:
    is_read_or_refused(raw)


@given(st.data())
def test_broken_bytes_of_an_event_are_an_event_or_unreadable(data: st.DataObject) -> None:
    content = bytearray(json.dumps(ENVELOPE).encode())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    is_read_or_refused(bytes(content))


zones = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(-(10**13), 10**14), zones)
def test_milliseconds_and_iso_8601_are_read_alike(told: int, zone: timezone) -> None:
    at = moment(told)
    assert at is not None
    assert milliseconds(at) == told
    assert moment(at.astimezone(zone).isoformat()) == at
