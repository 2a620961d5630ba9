"""Events as the two transports carry them.

An event's `occurrence` says what it tells. The bridge's default rules make one message of each
occurrence of these kinds, and none of others:

- `attributes:<conversation>:<participant>:<digest>`: a participant of a conversation with an
  external contact has these attributes; `sync_profile`.
- `ended:<conversation>:<milliseconds>`: the customer has left a message conversation, as its
  customer and its queue tell it; `redact_interaction`.
- `merged:<survivor>:<digest>`: contacts have become this merge set, as each of them but the
  survivor tells it; `sync_profile`.

No message comes of `anonymous` (attributes without a contact), `hung_up` (another medium),
`changed` (a contact that leads its merge set) and `went_on` (a conversation with its customer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from workers.sandbox.wire import decode, encode, iso

#: Whose documents an event tells of.
Contract = Literal["platform", "guide"]
#: The systems that speak a contract.
CONTRACTS: Mapping[str, Contract] = {"platform": "platform", "genesys": "guide"}

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
    #: The body as JSON: many events are remembered, and few are read again.
    packed: bytes = field(repr=False)
    occurrence: str

    @property
    def body(self) -> dict[str, Any]:
        """What it says: a copy of its own."""
        body: dict[str, Any] = decode(self.packed)
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
        packed=encode(body),
        occurrence=occurrence,
    )


@dataclass(slots=True, kw_only=True)
class Emitted:
    """An event that was sent out: under which number and ids, and which channels got it."""

    seq: int
    id: str
    correlation: str
    organization: str
    #: None: an event that a test made up, of whichever.
    contract: Contract | None
    event: Event
    #: Channels whose sockets it was written to, and targets that have taken it.
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
        """What a socket carries: the notification, put together without reading its body."""
        topic, body = encode(self.topic).decode(), self.event.packed.decode()
        return (
            f'{{"topicName":{topic},"version":"2","eventBody":{body},'
            f'"metadata":{{"CorrelationId":"{self.correlation}"}},"timestamp":"{iso(self.event.at)}"}}'
        )

    @property
    def envelope_text(self) -> str:
        """What a target gets."""
        around = encode(self._around()).decode().removesuffix("}")
        return f'{around},"detail":{self.text}}}'

    def detail(self) -> dict[str, Any]:
        """The notification itself."""
        detail: dict[str, Any] = decode(self.text.encode())
        return detail

    def envelope(self) -> dict[str, Any]:
        """The notification as Amazon EventBridge delivers it; a duplicate has the same id."""
        return {**self._around(), "detail": self.detail()}

    def _around(self) -> dict[str, Any]:
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
        }

    def render(self) -> dict[str, Any]:
        """The event as the control interface shows it."""
        return {
            "seq": self.seq,
            "id": self.id,
            "at": self.event.at,
            "organization": self.organization,
            "contract": self.contract,
            "topic": self.topic,
            "template": self.template,
            "occurrence": self.occurrence,
            "sentTo": self.sent_to,
            "detail": self.detail(),
        }
