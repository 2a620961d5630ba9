"""Interactions of a time by the `guide` contract, against the sandbox over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.apis.calls import Answer
from tasks.apis.genesys_guide.history import GuideHistory
from tasks.apis.history import Chat, Span
from tasks.apis.moments import iso
from tasks.apis.wire import Wire
from tasks.errors import BadRequest, Forbidden, OutcomeUnknown
from tests.support.guide import connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, 0, 20, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
SPAN = Span(start=NOW - 40 * MINUTE, end=NOW - 10 * MINUTE, look_back=7 * DAY)
IN_IT = NOW - 15 * MINUTE
QUERY = "/api/v2/interactions/query"


@pytest.fixture
def sandbox() -> Iterator[SandboxHandle]:
    with running(clock=ManualClock(now=NOW.timestamp()), requests_per_minute=10_000) as handle:
        yield handle


def interaction(start: datetime, end: datetime | None, **changes: Any) -> dict[str, Any]:
    document = {
        "type": "webmessaging",
        "state": "completed" if end else "active",
        "startTime": iso(start),
        "messages": [{"id": "m", "text": "mail me at ann@example.com"}],
        **changes,
    }
    return {**document, "endTime": iso(end)} if end else document


def put(sandbox: SandboxHandle, **interactions: dict[str, Any]) -> None:
    sandbox.put_many("interactions", interactions)


def refuse_the_end(sandbox: SandboxHandle, **how: Any) -> None:
    """Let the API refuse the first question, as one would that knows no field `endTime`."""
    sandbox.fault(kind="status", system="genesys", route=QUERY, status=400, **how)


class Heard(Wire):
    """A wire that notes which fields interactions are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[str] = []

    def exchange(self, method: str, url: str, **request: Any) -> Answer:
        if url.endswith(QUERY):
            self.fields.append(json.loads(request["data"])["fields"])
        return super().exchange(method, url, **request)


def read(sandbox: SandboxHandle, span: Span = SPAN, wire: Wire | None = None) -> list[Chat]:
    http = connect(sandbox).http
    history = GuideHistory(http=replace(http, wire=wire or http.wire))
    page = history.chats(span, None)
    found = list(page.chats)
    while page.next_cursor is not None:
        page = history.chats(span, page.next_cursor)
        found += page.chats
    return found


def test_what_ended_in_the_time_is_found(sandbox: SandboxHandle) -> None:
    put(
        sandbox,
        of_today=interaction(NOW - 18 * MINUTE, IN_IT),
        days_before=interaction(NOW - 3 * DAY, SPAN.start),
        at_the_end=interaction(NOW - 3 * DAY, SPAN.end),
        too_early=interaction(NOW - 3 * DAY, SPAN.start - SECOND),
        too_late=interaction(NOW - 3 * DAY, SPAN.end + SECOND),
        too_long=interaction(NOW - 8 * DAY, IN_IT),
        by_mail=interaction(NOW - DAY, IN_IT, type="email"),
        goes_on=interaction(NOW - DAY, None),
    )
    assert read(sandbox) == [
        Chat(id="at_the_end", over=True, ended=SPAN.end),
        Chat(id="days_before", over=True, ended=SPAN.start),
        Chat(id="of_today", over=True, ended=IN_IT),
    ]


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_pages_are_read_to_the_last(sandbox: SandboxHandle, count: int) -> None:
    made = {f"i{at}": interaction(NOW - DAY, IN_IT) for at in range(count)}
    put(sandbox, **made)
    assert {each.id for each in read(sandbox)} == made.keys()


def test_messages_are_never_asked_for(sandbox: SandboxHandle) -> None:
    put(sandbox, one=interaction(NOW - DAY, IN_IT))
    read(sandbox, wire=(wire := Heard()))
    assert wire.fields == ["id,startTime,endTime"]


def test_where_no_end_is_told_all_count_that_began_then_or_before(sandbox: SandboxHandle) -> None:
    made = {f"i{at:03}": interaction(NOW - DAY, IN_IT) for at in range(150)}
    put(sandbox, **made, too_early=interaction(NOW - 3 * DAY, NOW - 2 * DAY))
    refuse_the_end(sandbox)
    found = read(sandbox, wire=(wire := Heard()))
    assert {each.id for each in found} == {*made, "too_early"}
    assert {(each.over, each.ended) for each in found} == {(True, None)}
    assert wire.fields == ["id,startTime,endTime", "id,startTime", "id,startTime"]


def test_a_field_that_is_named_in_the_refusal_is_left_out_too(sandbox: SandboxHandle) -> None:
    put(sandbox, one=interaction(NOW - DAY, IN_IT))
    refuse_the_end(
        sandbox,
        body={"message": "endTime", "code": "bad", "errors": [{"field": "endTime", "code": "x"}]},
    )
    assert [each.ended for each in read(sandbox)] == [None]


def test_an_end_that_is_not_told_leaves_the_interaction_in(sandbox: SandboxHandle) -> None:
    untold = interaction(NOW - DAY, IN_IT)
    del untold["endTime"]
    put(sandbox, untold=untold)
    assert [(each.id, each.ended) for each in read(sandbox)] == [("untold", None)]


def test_a_query_that_is_refused_whatever_it_asks_for_is_an_error(sandbox: SandboxHandle) -> None:
    refuse_the_end(sandbox, times=2)
    with pytest.raises(BadRequest):
        read(sandbox)


def test_a_page_that_holds_nothing_and_is_not_the_last_is_an_error(sandbox: SandboxHandle) -> None:
    body = {"items": [], "nextPage": "more"}
    sandbox.fault(kind="status", system="genesys", route=QUERY, status=200, body=body)
    with pytest.raises(OutcomeUnknown, match="nothing new"):
        read(sandbox)


def test_a_missing_scope_is_named(sandbox: SandboxHandle) -> None:
    sandbox.put_client("sandbox-client", scopes=["interaction:write"])
    with pytest.raises(Forbidden, match="interaction:read"):
        read(sandbox)
