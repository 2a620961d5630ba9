"""One call to an outside system as a value: what is asked, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol
from urllib.parse import quote

from pydantic import ConfigDict

Kind = Literal["token", "read", "write", "replication", "merge"]


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds: `connect` to open a connection, the others for a whole exchange of that kind."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    connect: float = 3.0
    token: float = 10.0
    read: float = 10.0
    write: float = 15.0
    replication: float = 20.0
    merge: float = 30.0

    def of(self, kind: Kind) -> float:
        return float(getattr(self, kind))


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `route` is the path template; its ids come from `ids`, percent-encoded.

    `needs` names the scope or permission for the message of a 403, `kind` chooses the timeout,
    `effect` marks a call that changes something, `allowed` lists 4xx statuses to be returned like
    a success.
    """

    method: str
    route: str
    needs: str
    ids: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)
    kind: Kind = "read"
    effect: bool = False
    allowed: frozenset[int] = frozenset()

    @property
    def path(self) -> str:
        return self.route.format_map({k: quote(v, safe="") for k, v in self.ids.items()})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and the JSON body, numbers with a fraction as `Decimal`; None where it was empty."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a server says of its window: the calls left, and the seconds to its end; None if not."""

    remaining: int | None = None
    resets_in: float | None = None


class Gate(Protocol):
    """Admission of single calls to one outside system of one tenant."""

    def enter(self) -> None:
        """Charge one call, or raise `Postponed` while the system is paused or its budget spent."""
        ...

    def settle(self, allowance: Allowance) -> None:
        """Learn what the server says of its window after the call that entered last."""
        ...


class CallLog(Protocol):
    """Is told of every exchange of one attempt."""

    def sending(self, call: Call, *, within: float) -> None:
        """A request is about to leave; its answer arrives within so many seconds or never."""
        ...

    def answered(self, call: Call, *, status: int | None, seconds: float, reference: str) -> None:
        """A request has ended; `reference` is the server's own id of the exchange, or empty."""
        ...
