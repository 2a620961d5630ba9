"""What analytics can be asked for: filters and an order, of an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Required

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.platform.analytics_details import segments
from workers.sandbox.wire import instant
from workers.sandbox.world import Document

#: Where what has no moment stands in an order.
NEVER = datetime.min.replace(tzinfo=UTC)

# Of the vendor's dimensions those that seeded conversations have; any other is refused.
ConversationDimension = Literal[
    "conversationEnd", "conversationId", "conversationStart", "originatingDirection"
]
SegmentDimension = Literal[
    "direction",
    "disconnectType",
    "externalContactId",
    "mediaType",
    "messageType",
    "participantName",
    "provider",
    "purpose",
    "queueId",
    "segmentEnd",
    "segmentType",
    "userId",
]
Operator = Literal["matches", "exists", "notExists"]


class ConversationPredicate(TypedDict, total=False):
    type: Literal["dimension"]
    dimension: Required[ConversationDimension]
    operator: Operator
    value: str


class SegmentPredicate(TypedDict, total=False):
    type: Literal["dimension"]
    dimension: Required[SegmentDimension]
    operator: Operator
    value: str


class ConversationClause(TypedDict):
    type: Literal["and", "or"]
    predicates: list[ConversationPredicate]


class SegmentClause(TypedDict):
    type: Literal["and", "or"]
    predicates: list[SegmentPredicate]


class ConversationFilter(TypedDict, total=False):
    type: Required[Literal["and", "or"]]
    clauses: list[ConversationClause]
    predicates: list[ConversationPredicate]


class SegmentFilter(TypedDict, total=False):
    type: Required[Literal["and", "or"]]
    clauses: list[SegmentClause]
    predicates: list[SegmentPredicate]


class Paging(TypedDict):
    pageSize: int
    pageNumber: int


class _Query(TypedDict, total=False):
    interval: Required[str]
    conversationFilters: list[ConversationFilter]
    segmentFilters: list[SegmentFilter]
    order: Literal["asc", "desc", "unordered"]
    orderBy: Literal["conversationStart", "conversationEnd", "segmentStart", "segmentEnd"]


class Query(_Query, total=False):
    paging: Paging


class JobQuery(_Query, total=False):
    limit: int
    startOfDayIntervalMatching: bool


def chosen(query: Mapping[str, Any], told: Iterable[Document]) -> list[Document]:
    """Those of the conversations that all filters hold for, in the order asked for."""
    found = [each for each in told if _fits(query, each)]
    found.sort(key=lambda each: (_ordered_by(query, each), each["conversationId"]))
    return found[::-1] if query.get("order") == "desc" else found


def _fits(query: Mapping[str, Any], told: Document) -> bool:
    rows = list(segments(told))
    return all(_holds(each, told) for each in query.get("conversationFilters", ())) and all(
        any(_holds(each, row) for row in rows) for each in query.get("segmentFilters", ())
    )


def _holds(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a filter, a clause or a predicate holds for a row of fields."""
    if "dimension" in condition:
        return _matches(condition, row.get(condition["dimension"]))
    parts: Sequence[Any] = [*condition.get("clauses", ()), *condition.get("predicates", ())]
    every = all if condition["type"] == "and" else any
    return every(_holds(part, row) for part in parts)


def _matches(predicate: Mapping[str, Any], value: Any) -> bool:
    match predicate.get("operator", "matches"):
        case "exists":
            return value is not None
        case "notExists":
            return value is None
    return bool(value == predicate.get("value"))


def _ordered_by(query: Mapping[str, Any], told: Document) -> datetime:
    name = query.get("orderBy", "conversationStart")
    rows = [told] if name.startswith("conversation") else segments(told)
    return min((instant(row[name]) for row in rows if name in row), default=NEVER)
