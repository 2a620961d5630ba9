"""Completed message conversations that started in a time: by query, in bulk by a job.

A query (`analytics/conversations/details/query`) is answered at once, for a span of at most 31
days. Longer spans and long lists are left to a job, which knows what is older than some hours; what
is newer is asked for by query afterwards. Cursors are `query:PAGE:START` and `job:ID:END:CURSOR`,
with moments in milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import InteractionPage
from tasks.apis.genesys_platform import conversation_jobs as jobs
from tasks.apis.genesys_platform.conversation_jobs import (
    DETAILS,
    LONGEST_LIST,
    LONGEST_QUERY,
    PERMISSION,
    interval,
    milliseconds,
    moment_of,
)
from tasks.apis.http import Http
from tasks.errors import Rejected

#: How far a search without a beginning looks back.
LOOK_BACK = timedelta(days=558)

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
        until = moment_of(milliseconds(until))
        since = moment_of(milliseconds(since)) if since else until - LOOK_BACK
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
            return _query(http, search, int(page), moment_of(int(start)))[0]
        case ["job", job_id, end, after]:
            return _results(http, search, job_id, moment_of(int(end)), after)
    raise Rejected("cursor: is none of this API's")


def _begin(http: Http, search: Search) -> InteractionPage:
    if search.since >= search.until:
        return InteractionPage(ids=[], next_cursor=None)
    if search.until - search.since <= LONGEST_QUERY:
        page, hits = _query(http, search, 1, search.since)
        if hits <= LONGEST_LIST:
            return page
    available = min(jobs.available(http), search.until)
    if available <= search.since:
        return _query(http, search, 1, search.since)[0]
    job_id = jobs.start(http, FILTERS, search.since, available)
    return InteractionPage(ids=[], next_cursor=f"job:{job_id}:{milliseconds(available)}:")


def _query(http: Http, search: Search, number: int, start: datetime) -> tuple[InteractionPage, int]:
    """Return a page of what started from `start` on, and how much there is in its 31 days."""
    end = min(start + LONGEST_QUERY, search.until)
    paging = {"pageSize": search.page_size, "pageNumber": number}
    call = Call(
        method="POST",
        route=f"{DETAILS}/query",
        body={**FILTERS, "interval": interval(start, end), "paging": paging},
        needs=PERMISSION,
    )
    found = read_as(_Found, http, call)
    full = len(found.conversations) >= search.page_size
    following = f"query:{number + 1}:{milliseconds(start)}" if full else _rest(search, end)
    page = InteractionPage(ids=found.within(start, end), next_cursor=following)
    return page, found.total_hits


def _rest(search: Search, start: datetime) -> str | None:
    """Return the cursor of what started later than all that has been found."""
    return f"query:1:{milliseconds(start)}" if start < search.until else None


def _results(http: Http, search: Search, job_id: str, end: datetime, after: str) -> InteractionPage:
    if not after:
        jobs.check_fulfilled(http, job_id)
    call = jobs.results(job_id, search.page_size, after)
    found = read_as(_Found, http, call)
    following = (
        f"job:{job_id}:{milliseconds(end)}:{found.cursor}" if found.cursor else _rest(search, end)
    )
    return InteractionPage(ids=found.within(search.since, end), next_cursor=following)
