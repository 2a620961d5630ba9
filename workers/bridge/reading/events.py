"""One parser for what both sources deliver: a notification, bare or in EventBridge's envelope.

What is read: of the envelope `detail`, `detail-type`, `source`, `time` and `version`; of the
notification `topicName`, `eventBody`, `metadata.CorrelationId`, `timestamp` and `version`. All else
may be anything. Of two fields with one name the last one counts. Versions are texts: an envelope's
is `0`, a notification's `2`, and either may be missing; what another version means, nobody knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NoReturn, TypeVar

from tasks.errors import UnreadableEvent
from tasks.fields import is_identifier
from workers.bridge.reading.moments import EPOCH, moment

T = TypeVar("T")

Source = Literal["websocket", "eventbridge", "file", "backfill"]

MAX_EVENT_BYTES = 1_048_576
#: Levels of objects and lists; events have about six.
MAX_DEPTH = 250
MAX_TOPIC = 300
ENVELOPE_VERSION = "0"
NOTIFICATION_VERSION = "2"

_TOPIC = re.compile(r"[A-Za-z]\w*(?:\.[\w:@+{}-]+)+", re.ASCII)
_ORIGIN = re.compile(r"[A-Za-z0-9_./:-]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that Genesys told of."""

    #: With its ids: `v2.detail.events.conversation.<id>.attributes`.
    topic: str
    body: Mapping[str, Any] = field(repr=False)
    #: When it happened, in UTC.
    at: datetime
    source: Source
    #: What its sender calls the request it comes from, where a message may carry that.
    correlation_id: str | None = None
    #: EventBridge's `source`: `aws.partner/genesys.com/cloud/<organisation>/…`.
    origin: str | None = None


def parse(raw: bytes | str, source: Source, received: datetime | None = None) -> Event:
    """Return the event that `raw` is.

    It happened at its body's `eventTime`, else at the notification's `timestamp`, else at the
    envelope's `time`, else when it was `received`, for a source that delivers at once. Raises
    `UnreadableEvent` with one of few reasons, which quote nothing.
    """
    outer = _object(raw)
    if "detail" in outer:
        _check_version(outer, ENVELOPE_VERSION)
        inner = _of_type(dict, outer["detail"])
    else:
        outer, inner = {}, outer
    _check_version(inner, NOTIFICATION_VERSION)
    topic = _topic(inner, outer)
    body = _body(inner, topic)
    return Event(
        topic=topic,
        body=body,
        at=_at(body, inner, outer, received, topic),
        source=source,
        correlation_id=_correlation_id(inner),
        origin=_origin(outer),
    )


def is_service_message(topic: str) -> bool:
    """Return whether a topic is the notification service's own: none of a rule's business."""
    return topic == "channel.metadata" or topic.startswith("v2.system.")


def _object(raw: bytes | str) -> dict[str, Any]:
    if len(raw) > MAX_EVENT_BYTES:
        _unreadable("too large")
    try:
        content = raw if isinstance(raw, bytes) else raw.encode()
        if len(content) > MAX_EVENT_BYTES:
            _unreadable("too large")
        found = _decode(content.decode())
    except RecursionError:
        _unreadable("nested too deeply")
    except ValueError:
        _unreadable("not JSON")
    # Most have fewer of these than levels are allowed: looking at each value is for the others.
    if content.count(b"{") + content.count(b"[") > MAX_DEPTH and _is_deep(found):
        _unreadable("nested too deeply")
    return _of_type(dict, found)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no numbers of JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _check_version(held: Mapping[str, Any], known: str) -> None:
    version = held.get("version")
    if version is not None and _of_type(str, version) != known:
        _unreadable("unknown version")


def _topic(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> str:
    named = inner.get("topicName")
    topic = _of_type(str, outer.get("detail-type", "") if named is None else named)
    if len(topic) > MAX_TOPIC or not _TOPIC.fullmatch(topic):
        _unreadable("no topic")
    return topic


def _body(inner: Mapping[str, Any], topic: str) -> dict[str, Any]:
    body = inner.get("eventBody")
    if body is None:
        return {} if is_service_message(topic) else _unreadable("no body")
    return _of_type(dict, body)


def _at(
    body: Mapping[str, Any],
    inner: Mapping[str, Any],
    outer: Mapping[str, Any],
    received: datetime | None,
    topic: str,
) -> datetime:
    for told in (body.get("eventTime"), inner.get("timestamp"), outer.get("time")):
        if told is not None and (at := moment(told)):
            return at
    if received is not None:
        return received
    # Heartbeats and their like are of no moment.
    return EPOCH if is_service_message(topic) else _unreadable("no moment")


def _correlation_id(inner: Mapping[str, Any]) -> str | None:
    metadata = inner.get("metadata")
    told = metadata.get("CorrelationId") if isinstance(metadata, dict) else None
    return told if is_identifier(told) else None


def _origin(outer: Mapping[str, Any]) -> str | None:
    told = outer.get("source")
    return told if isinstance(told, str) and _ORIGIN.fullmatch(told) else None


def _of_type(kind: type[T], value: Any) -> T:
    return value if isinstance(value, kind) else _unreadable("wrong type")


def _unreadable(reason: str) -> NoReturn:
    raise UnreadableEvent(reason)
