"""Events as the two transports carry them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from workers.sandbox.wire import encode, iso

ACCOUNT = "123456789012"
REGION = "us-east-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a moment (epoch seconds), under the topic that tells it.

    Events with one `occurrence` tell the same thing again, or from another side.
    """

    template: str
    object_id: str
    at: float
    #: The body, pickled: many events are remembered, and few are read again.
    packed: bytes = field(repr=False)
    occurrence: str

    @property
    def body(self) -> dict[str, Any]:
        """What it says: a copy of its own."""
        body: dict[str, Any] = pickle.loads(self.packed)  # noqa: S301  # what `event` pickled
        return body

    @property
    def topic(self) -> str:
        """The topic, with the object's id."""
        return self.template.replace("{id}", self.object_id)


def event(
    template: str, object_id: str, at: float, body: Mapping[str, Any], occurrence: str
) -> Event:
    """An event that stays what it was, however the documents in its body go on changing."""
    return Event(
        template=template,
        object_id=object_id,
        at=at,
        packed=pickle.dumps(body),
        occurrence=occurrence,
    )


@dataclass(slots=True, kw_only=True)
class Emitted:
    """An event that was sent out: under which number and ids, and which channels got it."""

    seq: int
    id: str
    correlation: str
    organization: str
    event: Event
    #: Channels whose sockets it was written to.
    sent_to: list[str] = field(default_factory=list)

    @property
    def template(self) -> str:
        """The template of its topic."""
        return self.event.template

    @property
    def topic(self) -> str:
        """Its topic."""
        return self.event.topic

    @property
    def occurrence(self) -> str:
        """What it tells."""
        return self.event.occurrence

    @property
    def text(self) -> str:
        """What a socket carries."""
        return encode(self.detail()).decode()

    def detail(self) -> dict[str, Any]:
        """The notification itself."""
        return {
            "topicName": self.topic,
            "version": "2",
            "eventBody": self.event.body,
            "metadata": {"CorrelationId": self.correlation},
            "timestamp": iso(self.event.at),
        }

    def envelope(self) -> dict[str, Any]:
        """The notification as Amazon EventBridge delivers it; a duplicate has the same id."""
        time = datetime.fromtimestamp(self.event.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "version": "0",
            "id": self.id,
            "detail-type": self.template,
            "source": f"aws.partner/genesys.com/cloud/{self.organization}/sandbox",
            "account": ACCOUNT,
            "time": time,
            "region": REGION,
            "resources": [],
            "detail": self.detail(),
        }

    def render(self) -> dict[str, Any]:
        """The event as the control interface shows it."""
        return {
            "seq": self.seq,
            "id": self.id,
            "at": self.event.at,
            "organization": self.organization,
            "topic": self.topic,
            "template": self.template,
            "occurrence": self.occurrence,
            "sentTo": self.sent_to,
            "detail": self.detail(),
        }
