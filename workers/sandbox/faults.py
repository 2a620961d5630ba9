"""Faults on demand: which requests go wrong, and how."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, TypeAdapter

from workers.sandbox.journal import Entry


class _Fault(BaseModel):
    """Which requests a fault hits: all that agree with every field that is set.

    It lets `skip` of them pass, then hits each with `probability`, `times` altogether
    (None: for ever).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str | None = None
    method: str | None = None
    route: str | None = None
    path: str | None = None
    client: str | None = None
    times: NonNegativeInt | None = 1
    skip: NonNegativeInt = 0
    probability: float = Field(default=1.0, ge=0, le=1)

    def matches(self, entry: Entry) -> bool:
        """Whether the fault is meant for this request."""
        names = ("system", "method", "route", "path", "client")
        wanted = ((getattr(self, name), getattr(entry, name)) for name in names)
        return all(asked is None or asked == found for asked, found in wanted)


class Status(_Fault):
    """Answered with a status instead of being carried out; without `body` the usual error."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = {}


class Latency(_Fault):
    """Carried out after a while."""

    kind: Literal["latency"]
    seconds: NonNegativeFloat


class LatencyAfter(_Fault):
    """Carried out at once, answered after a while."""

    kind: Literal["latency_after"]
    seconds: NonNegativeFloat


class ResetBefore(_Fault):
    """The connection is reset and nothing is carried out."""

    kind: Literal["reset_before"]


class ResetAfter(_Fault):
    """Carried out, and the connection is reset instead of an answer."""

    kind: Literal["reset_after"]


class SlowBody(_Fault):
    """Carried out; the headers come at once, the body drop by drop over `seconds`."""

    kind: Literal["slow_body"]
    seconds: NonNegativeFloat


class TruncatedBody(_Fault):
    """Carried out; the connection closes after the first half of the body."""

    kind: Literal["truncated_body"]


class ExpireTokens(_Fault):
    """All tokens of the client become invalid before this request is judged."""

    kind: Literal["expire_tokens"]


class ForeignWrite(_Fault):
    """Another writer lays `changes` over the resource right after this request saw it.

    A request that is refused saw nothing: it is neither hit nor counted.
    """

    kind: Literal["foreign_write"]
    changes: dict[str, Any]


class DropSocket(_Fault):
    """The socket opens, and is cut without a close once it has carried so many events."""

    kind: Literal["drop_socket"]
    route: Literal["/channels/{channelId}"] = "/channels/{channelId}"
    events: NonNegativeInt = 0


class ClosingSocket(_Fault):
    """The socket is told after `seconds` that it will be closed, and is after the notice."""

    kind: Literal["closing_socket"]
    route: Literal["/channels/{channelId}"] = "/channels/{channelId}"
    seconds: NonNegativeFloat = 0


class MuteSocket(_Fault):
    """The socket opens and stays open, and carries nothing."""

    kind: Literal["mute_socket"]
    route: Literal["/channels/{channelId}"] = "/channels/{channelId}"


class RefuseTopics(_Fault):
    """Topics of a subscription that fit the pattern (`*` for any text) are not permitted."""

    kind: Literal["refuse_topics"]
    route: Literal["/api/v2/notifications/channels/{channelId}/subscriptions"] = (
        "/api/v2/notifications/channels/{channelId}/subscriptions"
    )
    topics: str = "*"

    def matches(self, entry: Entry) -> bool:
        """Whether the request subscribes something."""
        return super().matches(entry) and entry.method in ("POST", "PUT")


Fault = (
    Status
    | Latency
    | LatencyAfter
    | ResetBefore
    | ResetAfter
    | SlowBody
    | TruncatedBody
    | ExpireTokens
    | ForeignWrite
    | DropSocket
    | ClosingSocket
    | MuteSocket
    | RefuseTopics
)

#: Reads a fault from JSON; raises pydantic's ValidationError.
FAULT: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])


class FaultBook:
    """The faults that are set, and how often each has been met."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._faults: dict[str, Fault] = {}
        self._met: dict[str, int] = {}
        self._hit: dict[str, int] = {}
        self._added = 0

    def add(self, fault: Fault) -> str:
        """Set a fault and return its id."""
        self._added += 1
        fault_id = f"fault-{self._added}"
        self._faults[fault_id] = fault
        self._met[fault_id] = self._hit[fault_id] = 0
        return fault_id

    def remove(self, fault_id: str) -> bool:
        """Take a fault back; False when there is none of that id."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def fire(self, entry: Entry) -> list[Fault]:
        """The faults that hit this request as it arrives, in the order in which they were set."""
        return self._fire(entry, lambda fault: not isinstance(fault, ForeignWrite))

    def fire_foreign(self, entry: Entry) -> list[ForeignWrite]:
        """The foreign writes that follow this request, which was carried out."""
        fired = self._fire(entry, lambda fault: isinstance(fault, ForeignWrite))
        return [fault for fault in fired if isinstance(fault, ForeignWrite)]

    def _fire(self, entry: Entry, chosen: Callable[[Fault], bool]) -> list[Fault]:
        fired = [
            fault
            for fault_id, fault in self._faults.items()
            if chosen(fault) and fault.matches(entry) and self._hits(fault_id, fault)
        ]
        if kinds := [fault.kind for fault in fired]:
            entry.fault = ",".join([entry.fault, *kinds] if entry.fault else kinds)
        return fired

    def _hits(self, fault_id: str, fault: Fault) -> bool:
        self._met[fault_id] += 1
        spent = fault.times is not None and self._hit[fault_id] >= fault.times
        if spent or self._met[fault_id] <= fault.skip or self._rng.random() >= fault.probability:
            return False
        self._hit[fault_id] += 1
        return True

    def render(self) -> list[dict[str, Any]]:
        """The faults as JSON, with their ids and how often each has hit."""
        return [
            {"id": fault_id, **fault.model_dump(), "hits": self._hit[fault_id]}
            for fault_id, fault in self._faults.items()
        ]
