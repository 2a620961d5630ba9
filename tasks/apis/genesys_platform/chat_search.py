"""Message conversations that ended in a time, were left in it, or went on, by analytics.

"Results will only include conversations that started on a day touched by the interval", says the
vendor's document of a query: so the interval looks back, in pieces of 31 days at most.

First those are read that have not ended, then those that have, since one may end meanwhile. Those
that have not ended come by their start, from the last page to the first: what ends while they are
read moves others to an earlier page, never past us. Those that have ended come from the newest end
on, until a page lies before the time. What pages do not reach is left to a job, which goes by what
was active in the time itself.

Cursors are `open|ended:PAGE:SIZE:START:END`, with moments in milliseconds since 1970, page 0 for
one that counts what there is; `job` for one that starts a job, and `job:ID:CURSOR`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks import errors
from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys_platform import conversation_jobs as jobs
from tasks.apis.genesys_platform.chat_details import MESSAGE, Conversation
from tasks.apis.genesys_platform.conversation_jobs import (
    DETAILS,
    LONGEST_LIST,
    LONGEST_QUERY,
    PERMISSION,
    interval,
    milliseconds,
    moment_of,
)
from tasks.apis.history import ChatPage, Span
from tasks.apis.http import Http

LARGEST_PAGE = 100
#: The code of a refusal of pages that would be too long.
TOO_LARGE = "response.entity.too.large"
#: Seconds until jobs may know of a time that they do not know of yet.
UNKNOWN_WAIT = 3_600.0

OPEN, ENDED = "open", "ended"
OPERATORS = {OPEN: "notExists", ENDED: "exists"}
ORDERS = {
    OPEN: {"order": "asc", "orderBy": "conversationStart"},
    ENDED: {"order": "desc", "orderBy": "conversationEnd"},
}


class _Found(Body):
    conversations: list[Conversation] = []
    total_hits: int = 0
    cursor: str = ""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a search is: a page of those that began in a piece of its time, open or ended."""

    kind: str
    page: int
    size: int
    start: datetime
    end: datetime

    @classmethod
    def first(cls, kind: str, start: datetime, until: datetime) -> Place:
        """Return the beginning of the piece that begins at `start`."""
        return cls(
            kind=kind,
            page=0 if kind == OPEN else 1,
            size=LARGEST_PAGE,
            start=start,
            end=min(start + LONGEST_QUERY, until),
        )

    @classmethod
    def at(cls, kind: str, numbers: Sequence[str]) -> Place:
        """Return the place that a cursor names."""
        page, size, start, end = map(int, numbers)
        return cls(kind=kind, page=page, size=size, start=moment_of(start), end=moment_of(end))

    def __str__(self) -> str:
        numbers = (self.page, self.size, milliseconds(self.start), milliseconds(self.end))
        return ":".join((self.kind, *map(str, numbers)))

    @property
    def is_deep(self) -> bool:
        """Whether no page after this one may be asked for."""
        return (self.page + 1) * self.size > LONGEST_LIST

    def with_smaller_pages(self) -> Place:
        """Return the same place in pages of half the size, to go on from in its own direction."""
        size = self.size // 2
        before = (self.page - 1) * self.size // size + 1
        page = before if self.kind == ENDED else -(-self.page * self.size // size)
        return replace(self, page=page, size=size)

    def half(self) -> Place | None:
        """Return the beginning of a shorter piece, None where it is one day already."""
        middle = _midnight(self.start + (self.end - self.start) / 2)
        if middle <= self.start:
            middle += timedelta(days=1)
        if middle >= self.end:
            return None
        return replace(Place.first(self.kind, self.start, middle), size=self.size)


@dataclass(frozen=True, kw_only=True)
class ChatSearch:
    """Searches a span, whose moments are whole milliseconds, as the API takes them."""

    http: Http
    span: Span

    def page(self, cursor: str | None) -> ChatPage:
        """Return the page at `cursor`, the first one without.

        Raises `Postponed` while a job is under way, or does not know of the time yet, `Failed`
        where the API gave it up, and `Rejected` for the cursor of another API.
        """
        match (cursor or "").split(":"):
            case [""]:
                return self._query(Place.first(OPEN, self.span.earliest, self.span.end))
            case [("open" | "ended") as kind, page, size, start, end]:
                return self._query(Place.at(kind, (page, size, start, end)))
            case ["job"]:
                return ChatPage(chats=[], next_cursor=self._start_job())
            case ["job", job_id, *after]:
                return self._results(job_id, ":".join(after))
        raise errors.Rejected("cursor: is none of this API's")

    def _query(self, place: Place) -> ChatPage:
        try:
            found = read_as(_Found, self.http, _call(place))
        except (errors.BadRequest, errors.Unprocessable) as error:
            if error.code != TOO_LARGE or place.size == 1:
                raise
            return ChatPage(chats=[], next_cursor=str(place.with_smaller_pages()))
        following = self._after_open if place.kind == OPEN else self._after_ended
        return self._page(found, following(place, found))

    def _after_open(self, place: Place, found: _Found) -> str | None:
        """From the last page to the first, which is read again: it has been counted only."""
        if place.page > 1:
            return str(replace(place, page=place.page - 1))
        pages = -(-found.total_hits // place.size)
        if place.page == 1 or pages <= 1:
            return self._next_piece(place)
        if found.total_hits > LONGEST_LIST:
            return self._shorter(place)
        return str(replace(place, page=pages))

    def _after_ended(self, place: Place, found: _Found) -> str | None:
        ends = [each.conversation_end for each in found.conversations if each.conversation_end]
        is_last = len(found.conversations) < place.size
        if is_last or (ends and min(ends) < self.span.start):
            return self._next_piece(place)
        return self._shorter(place) if place.is_deep else str(replace(place, page=place.page + 1))

    def _shorter(self, place: Place) -> str:
        """Return the place in a shorter piece; a job does what is too much for one day."""
        half = place.half()
        return str(half) if half else "job"

    def _next_piece(self, place: Place) -> str | None:
        if place.end < self.span.end:
            return str(Place.first(place.kind, place.end, self.span.end))
        if place.kind == OPEN:
            return str(Place.first(ENDED, self.span.earliest, self.span.end))
        return None

    def _start_job(self) -> str:
        if jobs.available(self.http) < self.span.end:
            about = "analytics jobs do not know of that time yet, and queries do not reach it all"
            raise errors.Postponed(about, wait=UNKNOWN_WAIT)
        until = self.span.end + timedelta(milliseconds=1)
        return f"job:{jobs.start(self.http, _filters(), self.span.start, until)}:"

    def _results(self, job_id: str, after: str) -> ChatPage:
        if not after:
            jobs.check_fulfilled(self.http, job_id)
        found = read_as(_Found, self.http, jobs.results(job_id, LARGEST_PAGE, after))
        return self._page(found, f"job:{job_id}:{found.cursor}" if found.cursor else None)

    def _page(self, found: _Found, following: str | None) -> ChatPage:
        chats = [each.value() for each in found.conversations if self._concerns(each)]
        return ChatPage(chats=chats, next_cursor=following)

    def _concerns(self, each: Conversation) -> bool:
        """The API goes by days; here both ends count."""
        start, end = each.conversation_start, each.conversation_end
        return (start is None or start <= self.span.end) and (end is None or end >= self.span.start)


def _call(place: Place) -> Call:
    paging = {"pageSize": place.size, "pageNumber": max(1, place.page)}
    asked = {"interval": interval(place.start, place.end), "paging": paging}
    return Call(
        method="POST",
        route=f"{DETAILS}/query",
        body={**asked, **ORDERS[place.kind], **_filters(place.kind)},
        needs=PERMISSION,
    )


def _filters(kind: str | None = None) -> Mapping[str, object]:
    """Return what chooses conversations with messages: of one kind, or all of them."""
    filters = {"segmentFilters": _filter(dimension="mediaType", value=MESSAGE)}
    if kind:
        ended = _filter(dimension="conversationEnd", operator=OPERATORS[kind])
        filters["conversationFilters"] = ended
    return filters


def _filter(**predicate: str) -> list[dict[str, Any]]:
    return [{"type": "and", "predicates": [{"type": "dimension", **predicate}]}]


def _midnight(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(hour=0, minute=0, second=0, microsecond=0)
