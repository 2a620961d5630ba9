"""The query language of interactions, and the cursor that walks through an answer."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.wire import decode, digest, encode, instant
from workers.sandbox.world import Document

_CONDITION = re.compile(r"(?:(id|type|state) (eq)|(startTime) (ge|lt)) '([^']*)'( and |$)")

#: Where an interaction stands in the order of all: by its start, then by its id.
Place = tuple[datetime, str]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One comparison."""

    field: str
    operator: str
    value: str

    def holds(self, document: Document) -> bool:
        """Whether an interaction meets it."""
        if self.operator == "eq":
            return bool(document[self.field] == self.value)
        started = instant(document["startTime"])
        bound = instant(self.value)
        return started >= bound if self.operator == "ge" else started < bound


def parse(query: str) -> list[Condition]:
    """Read `state eq 'completed' and startTime ge '2025-01-01T00:00:00Z'`.

    Fields are id, type and state (`eq`) and startTime (`ge`, `lt`), joined by `and`.
    Raises Refused (400) for anything else.
    """
    conditions: list[Condition] = []
    position, goes_on = 0, True
    while goes_on:
        match = _CONDITION.match(query, position)
        if match is None:
            raise bad_request("query: is not understood", "query.invalid")
        field, operator = match[1] or match[3], match[2] or match[4]
        conditions.append(Condition(field=field, operator=operator, value=match[5]))
        position, goes_on = match.end(), bool(match[6])
    for condition in conditions:
        _check_time(condition)
    return conditions


def place(document: Document) -> Place:
    """Where an interaction stands in the order of all."""
    return instant(document["startTime"]), document["id"]


def cursor(query: str, document: Document) -> str:
    """An opaque text that says: this query, after this interaction."""
    started, entity_id = place(document)
    return base64.urlsafe_b64encode(
        encode([started.isoformat(), entity_id, digest(query)])
    ).decode()


def after(query: str, text: str) -> Place:
    """The place that a cursor of the same query names. Raises Refused (400)."""
    try:
        started, entity_id, asked = decode(base64.b64decode(text, altchars=b"-_", validate=True))
        if asked != digest(query):
            raise _strange_cursor()
        return instant(started), str(entity_id)
    except (binascii.Error, ValueError, TypeError):
        raise _strange_cursor() from None


def _check_time(condition: Condition) -> None:
    if condition.field != "startTime":
        return
    try:
        instant(condition.value)
    except ValueError:
        message = "query: startTime must be an ISO 8601 date-time"
        raise bad_request(message, "query.invalid") from None


def _strange_cursor() -> Refused:
    return bad_request("nextPage: is not a cursor of this query", "cursor.invalid")
