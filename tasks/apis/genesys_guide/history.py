"""Interactions that have ended, by the `guide` contract.

The guides name no time at which an interaction ended: `endTime` is read where the API has it, and
not asked for where it is refused. Without it, all count that began in the span or before.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AwareDatetime

from tasks import errors
from tasks.apis.bodies import Body, read_as
from tasks.apis.genesys_guide.interactions import COMPLETED, query_call
from tasks.apis.history import Chat, ChatPage, Span
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.apis.pages import standing_still

PAGE = 100
FIELDS = "id,startTime"
#: What is asked for first, and at the beginning of a cursor tells how its page was asked for.
WITH_END, WITHOUT_END = "end", "start"


class _Interaction(Body):
    id: str
    end_time: AwareDatetime | None = None

    def within(self, span: Span) -> bool:
        return self.end_time is None or span.holds(self.end_time)

    def value(self) -> Chat:
        return Chat(id=self.id, over=True, ended=self.end_time)


class _Found(Body):
    items: list[_Interaction]
    next_page: str = ""


@dataclass(frozen=True, kw_only=True)
class GuideHistory:
    """Implements the `History` seam; queues and customers are not told."""

    http: Http

    def chats(self, span: Span, cursor: str | None) -> ChatPage:
        """Return one page. Raises `OutcomeUnknown` for one that holds nothing and is not the last.

        One that goes on is none of them.
        """
        form, _, place = (cursor or f"{WITH_END}:").partition(":")
        try:
            return self._page(span, form, place)
        except (errors.BadRequest, errors.Unprocessable):
            if cursor:
                raise
            return self._page(span, WITHOUT_END, place)

    def _page(self, span: Span, form: str, place: str) -> ChatPage:
        fields = f"{FIELDS},endTime" if form == WITH_END else FIELDS
        began = f"startTime ge '{iso(span.earliest)}' and startTime lt '{iso(span.end)}'"
        call = query_call(f"{COMPLETED} and {began}", PAGE, fields, place or None)
        found = read_as(_Found, self.http, call)
        if found.next_page and not found.items:
            raise standing_still(self.http, call)
        return ChatPage(
            chats=[each.value() for each in found.items if each.within(span)],
            next_cursor=f"{form}:{found.next_page}" if found.next_page else None,
        )
