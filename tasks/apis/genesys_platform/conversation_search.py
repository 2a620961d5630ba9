"""Completed message conversations that started in a time: by query, in bulk by a job.

A query (`analytics/conversations/details/query`) is answered at once, for a span of at most 31
days. Longer spans and long lists are left to a job, which knows what is older than some hours; what
is newer is asked for by query afterwards. Cursors are `query:PAGE:START` and `job:ID:END:CURSOR`,
with moments in milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import InteractionPage
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.errors import Failed, Postponed, Rejected

DETAILS = "/api/v2/analytics/conversations/details"
PERMISSION = "analytics:conversationDetail:view"
LONGEST_QUERY = timedelta(days=31)
#: A longer list is left to a job, since deep pages of a query are refused.
LONGEST_LIST = 10_000
#: How far a search without a beginning looks back.
LOOK_BACK = timedelta(days=558)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Seconds until a job is looked at again, and until it is given up.
JOB_WAIT = 10.0
JOB_DEADLINE = 3_600.0
LOST = frozenset({"FAILED", "CANCELLED", "EXPIRED"})

#: Conversations with messages, which have ended.
FILTERS: Mapping[str, object] = {
    "order": "asc",
    "orderBy": "conversationStart",
    "segmentFilters": [
        {
            "type": "and",
            "predicates": [
                {"type": "dimension", "dimension": "mediaType", "value": "message"},
            ],
        }
    ],
    "conversationFilters": [
        {
            "type": "and",
            "predicates": [
                {"type": "dimension", "dimension": "conversationEnd", "operator": "exists"},
            ],
        }
    ],
}


class _Conversation(Body):
    conversation_id: str
    conversation_start: AwareDatetime | None = None


class _Found(Body):
    conversations: list[_Conversation] = []
    total_hits: int = 0
    cursor: str = ""

    def within(self, start: datetime, end: datetime) -> list[str]:
        """The API goes by days and by activity; here it is the start that counts."""
        return [
            each.conversation_id
            for each in self.conversations
            if each.conversation_start is None or start <= each.conversation_start < end
        ]


class _Availability(Body):
    data_availability_date: AwareDatetime


class _Job(Body):
    job_id: str


class _JobState(Body):
    state: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched for: conversations that started from `since` up to, not at, `until`.

    Both are whole milliseconds, as the API takes them.
    """

    since: datetime
    until: datetime
    page_size: int

    @classmethod
    def of(cls, since: datetime | None, until: datetime, page_size: int) -> Search:
        until = _moment(_milliseconds(until))
        since = _moment(_milliseconds(since)) if since else until - LOOK_BACK
        return cls(since=since, until=until, page_size=page_size)


def find(http: Http, search: Search, cursor: str | None) -> InteractionPage:
    """Return the page at `cursor`, the first one without.

    A page that starts a job is empty and has a next one. Raises `Postponed` while a job is under
    way, and `Failed` where the API gave it up.
    """
    match (cursor or "").split(":", 3):
        case [""]:
            return _begin(http, search)
        case ["query", page, start]:
            return _query(http, search, int(page), _moment(int(start)))[0]
        case ["job", job_id, end, after]:
            return _results(http, search, job_id, _moment(int(end)), after)
    raise Rejected("cursor: is none of this API's")


def _begin(http: Http, search: Search) -> InteractionPage:
    if search.since >= search.until:
        return InteractionPage(ids=[], next_cursor=None)
    if search.until - search.since <= LONGEST_QUERY:
        page, hits = _query(http, search, 1, search.since)
        if hits <= LONGEST_LIST:
            return page
    available = min(_available(http), search.until)
    if available <= search.since:
        return _query(http, search, 1, search.since)[0]
    job_id = _start(http, search.since, available)
    return InteractionPage(ids=[], next_cursor=f"job:{job_id}:{_milliseconds(available)}:")


def _query(http: Http, search: Search, number: int, start: datetime) -> tuple[InteractionPage, int]:
    """Return a page of what started from `start` on, and how much there is in its 31 days."""
    end = min(start + LONGEST_QUERY, search.until)
    paging = {"pageSize": search.page_size, "pageNumber": number}
    call = Call(
        method="POST",
        route=f"{DETAILS}/query",
        body={**FILTERS, "interval": _interval(start, end), "paging": paging},
        needs=PERMISSION,
    )
    found = read_as(_Found, http, call)
    full = len(found.conversations) >= search.page_size
    following = f"query:{number + 1}:{_milliseconds(start)}" if full else _rest(search, end)
    page = InteractionPage(ids=found.within(start, end), next_cursor=following)
    return page, found.total_hits


def _rest(search: Search, start: datetime) -> str | None:
    """Return the cursor of what started later than all that has been found."""
    return f"query:1:{_milliseconds(start)}" if start < search.until else None


def _available(http: Http) -> datetime:
    """Return up to when jobs know of all conversations."""
    call = Call(method="GET", route=f"{DETAILS}/jobs/availability", needs=PERMISSION)
    return read_as(_Availability, http, call).data_availability_date


def _start(http: Http, start: datetime, end: datetime) -> str:
    call = Call(
        method="POST",
        route=f"{DETAILS}/jobs",
        body={**FILTERS, "interval": _interval(start, end)},
        needs=PERMISSION,
    )
    return read_as(_Job, http, call).job_id


def _results(http: Http, search: Search, job_id: str, end: datetime, after: str) -> InteractionPage:
    if not after:
        _check_fulfilled(http, job_id)
    call = Call(
        method="GET",
        route=f"{DETAILS}/jobs/{{job_id}}/results",
        ids={"job_id": job_id},
        query={"pageSize": str(search.page_size), **({"cursor": after} if after else {})},
        needs=PERMISSION,
    )
    found = read_as(_Found, http, call)
    following = (
        f"job:{job_id}:{_milliseconds(end)}:{found.cursor}" if found.cursor else _rest(search, end)
    )
    return InteractionPage(ids=found.within(search.since, end), next_cursor=following)


def _check_fulfilled(http: Http, job_id: str) -> None:
    call = Call(
        method="GET", route=f"{DETAILS}/jobs/{{job_id}}", ids={"job_id": job_id}, needs=PERMISSION
    )
    state = read_as(_JobState, http, call).state
    if state in LOST:
        raise Failed(f"since: the API ended the search as {state}")
    if state != "FULFILLED":
        raise Postponed("the search is under way", wait=JOB_WAIT, deadline=JOB_DEADLINE)


def _interval(start: datetime, end: datetime) -> str:
    return f"{iso(start)}/{iso(end)}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
