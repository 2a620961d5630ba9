"""What was asked and what it changed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import methodcaller
from typing import Any
from urllib.parse import parse_qsl


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request, without bodies and tokens.

    `status` is what the system decided: 0 until then, and for a request that a fault kept
    from it. `fault` names what a fault did to it.
    """

    seq: int
    at: float
    system: str
    method: str
    path: str
    query: str
    route: str | None
    correlation_id: str
    #: The id that the system itself gave the request, where it does that.
    context_id: str | None = None
    client: str | None = None
    organization: str | None = None
    status: int = 0
    ms: float = 0.0
    if_match: str | None = None
    fault: str | None = None
    remaining: int | None = None

    @property
    def context(self) -> str:
        """The id under which the answer speaks of the request."""
        return self.context_id or self.correlation_id

    def render(self) -> dict[str, Any]:
        """The entry as JSON, `query` as an object; `if_match` and `fault` only where set."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        shown["query"] = dict(parse_qsl(self.query, keep_blank_values=True))
        optional = ("if_match", "fault", "remaining", "context_id")
        return {k: v for k, v in shown.items() if v is not None or k not in optional}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One change that really happened; `at` is epoch seconds."""

    seq: int
    request_seq: int
    at: float
    system: str
    organization: str
    kind: str
    subject: str
    detail: Mapping[str, Any]
    correlation_id: str

    def render(self) -> dict[str, Any]:
        """The effect as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class Journal:
    """The latest requests and effects, in memory, each numbered from 1."""

    def __init__(self, limit: int) -> None:
        self.requests: deque[Entry] = deque(maxlen=limit)
        self.effects: deque[Effect] = deque(maxlen=limit)
        self._answered: Counter[tuple[str, str, str | None, int]] = Counter()
        self._changed: Counter[str] = Counter()
        self._requests_seen = 0
        self._effects_seen = 0

    def open(self, **fields: Any) -> Entry:
        """Begin an entry; it is visible at once, with status 0."""
        self._requests_seen += 1
        entry = Entry(seq=self._requests_seen, **fields)
        self.requests.append(entry)
        return entry

    def close(self, entry: Entry, ms: float) -> None:
        """Complete an entry with the time it took, in milliseconds."""
        entry.ms = round(ms, 3)
        self._answered[entry.system, entry.method, entry.route, entry.status] += 1

    def effect(
        self, entry: Entry, at: float, kind: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Record what the request of `entry` changed."""
        self._effects_seen += 1
        self._changed[kind] += 1
        effect = Effect(
            seq=self._effects_seen,
            request_seq=entry.seq,
            at=at,
            system=entry.system,
            organization=entry.organization or "",
            kind=kind,
            subject=subject,
            detail=detail,
            correlation_id=entry.correlation_id,
        )
        self.effects.append(effect)

    def summary(self) -> dict[str, Any]:
        """Counts since the start: answered requests by route and status, effects by kind."""
        names = ("system", "method", "route", "status")
        counted = sorted(self._answered.items(), key=str)
        requests = [{**dict(zip(names, key, strict=True)), "count": n} for key, n in counted]
        return {"requests": requests, "effects": dict(sorted(self._changed.items()))}


def select(
    records: Iterable[Any],
    filters: Mapping[str, str],
    fields: Sequence[str],
    render: Callable[[Any], dict[str, Any]] = methodcaller("render"),
) -> list[dict[str, Any]]:
    """The records whose `fields` equal the filters, as JSON, oldest first.

    `since` leaves out every record up to that number, `limit` all after the first so many.
    Raises ValueError for other filters.
    """
    wanted = dict(filters)
    since, limit = int(wanted.pop("since", 0)), wanted.pop("limit", None)
    if unknown := sorted(set(wanted) - set(fields)):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    chosen = (
        render(record)
        for record in records
        if record.seq > since and all(str(getattr(record, k)) == v for k, v in wanted.items())
    )
    return list(islice(chosen, None if limit is None else int(limit)))
