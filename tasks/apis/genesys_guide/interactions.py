"""Digital interactions and their messages, by the `guide` contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks import errors
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Interaction, InteractionPage, Kept
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.apis.pages import standing_still

INTERACTION = "/api/v2/interactions/{interaction_id}"
QUERY = "/api/v2/interactions/query"
READ = "interaction:read"
COMPLETED = "type eq 'webmessaging' and state eq 'completed'"
ALL_FIELDS = "id,type,state,messages,participants,startTime"
#: A sweep asks for no messages: what is not fetched cannot leak.
SWEPT_FIELDS = "id,type,state,startTime"


class _Interaction(Body):
    id: str
    state: str = ""
    messages: list[dict[str, Any]] = []

    def value(self) -> Interaction:
        return Interaction(id=self.id, state=self.state, messages=self.messages)


class _Item(Body):
    id: str


class _Items(Body):
    items: list[_Item]
    next_page: str = ""


class _Found(Body):
    items: list[_Interaction]


@dataclass(frozen=True, kw_only=True)
class GuideInteractions:
    """Implements the `Interactions` seam."""

    http: Http

    def completed_interactions(
        self, *, since: datetime | None, until: datetime, page_size: int, cursor: str | None
    ) -> InteractionPage:
        """Return one page; an absent or empty `nextPage` is the end.

        Raises `OutcomeUnknown` for a page that holds nothing and is not the last.
        """
        started = f"startTime ge '{iso(since)}' and " if since else ""
        query = f"{COMPLETED} and {started}startTime lt '{iso(until)}'"
        call = query_call(query, page_size, SWEPT_FIELDS, cursor)
        body = read_as(_Items, self.http, call)
        if body.next_page and not body.items:
            raise standing_still(self.http, call)
        return InteractionPage(
            ids=[item.id for item in body.items], next_cursor=body.next_page or None
        )

    def read_interaction(self, interaction_id: str) -> Interaction:
        """Return the interaction by its id, by the query where the API offers no such reading."""
        call = Call(
            method="GET",
            route=INTERACTION,
            ids={"interaction_id": interaction_id},
            needs=READ,
            allowed=frozenset({404, 405}),
        )
        answer = self.http.call(call)
        if answer.status in call.allowed:
            return self._query_one(interaction_id)
        return parse(_Interaction, self.http, call, answer).value()

    def _query_one(self, interaction_id: str) -> Interaction:
        call = query_call(f"id eq '{interaction_id}'", 1, ALL_FIELDS, None)
        for item in read_as(_Found, self.http, call).items:
            if item.id == interaction_id:
                return item.value()
        raise errors.NotFound(
            system=self.http.endpoint.system, method="GET", route=INTERACTION, status=404
        )

    def keep_redacted(
        self, interaction: Interaction, messages: Sequence[Mapping[str, object]]
    ) -> Kept:
        """Replace the whole array of the interaction's messages."""
        self.http.call(
            Call(
                method="PATCH",
                route=INTERACTION,
                ids={"interaction_id": interaction.id},
                body={"id": interaction.id, "messages": list(messages)},
                needs="interaction:write",
                kind="write",
                effect=True,
            )
        )
        return Kept(replaced=True)


def query_call(query: str, size: int, fields: str, cursor: str | None) -> Call:
    """Return the call that asks for a page of interactions, the first one without a cursor."""
    return Call(
        method="POST",
        route=QUERY,
        query={"nextPage": cursor} if cursor else {},
        body={"query": query, "size": size, "fields": fields},
        needs=READ,
    )
