"""Analytics of conversations: the query that is answered at once, and one conversation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.notifications.conversation_events import queue_id
from workers.sandbox.platform.analytics_details import as_known, details
from workers.sandbox.platform.analytics_query import Query, chosen
from workers.sandbox.platform.conversations import conversation
from workers.sandbox.platform.intervals import Interval, interval, touched_days
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import Document

PATH = "/api/v2/analytics/conversations"
VIEW = ("analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
LONGEST = timedelta(days=31)
USUAL_PAGE, LARGEST_PAGE = 25, 100
_SHAPE = Shape(Query)


def query_details(call: Call) -> Answer:
    """`POST …/details/query` → `{conversations, totalHits}`, without `conversations` for none.

    Conversations count that started on a day which the interval touches, of at most 31 days, as
    they were `analytics_query_lag_seconds` ago.
    """
    asked = _SHAPE.read(call)
    span = interval(asked["interval"])
    if span[1] - span[0] > LONGEST:
        message = f"interval: must not be longer than {LONGEST.days} days"
        raise bad_request(message)
    found = chosen(asked, _told(call, touched_days(span)))
    page = _page(asked.get("paging", {}), found, call.options.analytics_deepest_hit)
    body: Document = {"totalHits": len(found)}
    return Answer(body={**body, "conversations": page} if page else body)


def read_details(call: Call) -> Answer:
    """`GET …/{conversationId}/details`."""
    return Answer(body=details(conversation(call), queue_id(call.organization.id)))


def _told(call: Call, started: Interval) -> Iterator[Document]:
    lag, queue = call.options.analytics_query_lag_seconds, queue_id(call.organization.id)
    first, last = started
    for each in call.organization.platform_conversations.values():
        if not first <= instant(each["startTime"]) < last:
            continue
        known = as_known(each, instant(iso(call.now - lag))) if lag else each
        if known is not None:
            yield details(known, queue)


def _page(paging: Document, found: list[Document], deepest: int) -> list[Document]:
    size, number = paging.get("pageSize", USUAL_PAGE), paging.get("pageNumber", 1)
    if not 1 <= size <= LARGEST_PAGE or number < 1:
        message = f"paging: pageSize must be from 1 to {LARGEST_PAGE}, pageNumber at least 1"
        raise bad_request(message, "constraint.validation")
    if size * number > deepest:
        message = f"paging: must not reach beyond {deepest} conversations"
        raise bad_request(message, "constraint.validation")
    return found[(number - 1) * size : number * size]


ROUTES = (
    Route(method="POST", path=f"{PATH}/details/query", handle=query_details, any_of=VIEW),
    Route(
        method="GET", path=f"{PATH}/{{conversationId}}/details", handle=read_details, any_of=VIEW
    ),
)
