"""Chats of a time by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.apis.genesys_platform import chat_search
from tasks.apis.genesys_platform.history import PlatformHistory
from tasks.apis.history import Chat, Guest, Party, Span
from tasks.apis.http import Http
from tasks.errors import BadRequest, Failed, Forbidden, NotFound, Postponed, Rejected
from tests.support.chat_conversations import conversation
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, 0, 20, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
#: A gap over midnight.
SPAN = Span(start=NOW - 40 * MINUTE, end=NOW - 10 * MINUTE, look_back=7 * DAY)
IN_IT = NOW - 15 * MINUTE
QUERY = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


class Reader:
    """Reads from page to page, and lets time pass where that is asked for, if it is not long."""

    def __init__(self, http: Http, clock: ManualClock) -> None:
        self._history = PlatformHistory(http=http)
        self._clock = clock
        self.cursors: list[str] = []
        self.waits: list[float] = []

    def read(self, span: Span = SPAN) -> list[Chat]:
        found: list[Chat] = []
        cursor: str | None = None
        while cursor is not None or not self.cursors:
            try:
                page = self._history.chats(span, cursor)
            except Postponed as postponed:
                self.waits.append(postponed.wait)
                if postponed.wait > 60:
                    break
                self._clock.advance(postponed.wait)
                continue
            found += page.chats
            cursor = page.next_cursor
            self.cursors.append(cursor or "")
        return found

    def ids(self, span: Span = SPAN) -> list[str]:
        return sorted({each.id for each in self.read(span)})

    @property
    def kinds(self) -> list[str]:
        return [cursor.partition(":")[0] for cursor in self.cursors]


@pytest.fixture
def reader(http: Http, clock: ManualClock) -> Reader:
    return Reader(http, clock)


def put(sandbox: SandboxHandle, **conversations: dict[str, Any]) -> None:
    sandbox.put_many("platformConversations", conversations)


def test_what_ended_in_the_time_is_found_however_long_ago_it_began(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    put(
        sandbox,
        of_today=conversation(NOW - 18 * MINUTE, ended=IN_IT),
        of_yesterday=conversation(NOW - 39 * MINUTE, ended=IN_IT),
        days_before=conversation(NOW - 3 * DAY, ended=SPAN.start),
        at_the_end=conversation(NOW - 3 * DAY, ended=SPAN.end),
        too_early=conversation(NOW - 3 * DAY, ended=SPAN.start - SECOND),
        too_long=conversation(NOW - 9 * DAY, ended=IN_IT),
        voice=conversation(NOW - DAY, ended=IN_IT, media="calls"),
    )
    expected = ["at_the_end", "days_before", "of_today", "of_yesterday"]
    # What is seeded is older than the look back, and nothing of it is among them.
    assert reader.ids() == expected


def test_what_a_customer_left_is_told_with_when_and_who(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    start = NOW - 3 * DAY
    put(sandbox, c=conversation(start, left=IN_IT, contact="contact-1"))
    (chat,) = [each for each in reader.read() if each.id == "c"]
    assert (chat.over, chat.ended) == (False, None)
    assert chat.queues == [sandbox.queue_id()]
    assert chat.contacts == ["contact-1"]
    assert chat.guests == [
        Guest(
            id="customer",
            purpose="customer",
            joined=start,
            left=IN_IT,
            contact_id="contact-1",
            session_id="customer-session",
            provider="PureCloud Messaging",
            direction="inbound",
            message_type="webmessaging",
            disconnect_type="client",
        )
    ]


def test_a_customer_leaves_with_the_last_session_and_at_the_latest_with_the_conversation(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    ended = conversation(NOW - DAY, left=IN_IT - MINUTE, ended=IN_IT)
    (session,) = ended["participants"][0]["messages"]
    earlier = {**session, "id": "earlier", "disconnectedTime": "2026-11-20T12:00:00.000Z"}
    ended["participants"][0]["messages"] = [session, earlier]
    open_end = conversation(NOW - DAY, ended=IN_IT)
    for each in open_end["participants"]:
        del each["endTime"]
        del each["messages"][0]["disconnectedTime"]
    goes_on = conversation(NOW - DAY, left=IN_IT)
    del goes_on["participants"][0]["endTime"]
    again = {key: v for key, v in session.items() if key != "disconnectedTime"}
    goes_on["participants"][0]["messages"].append({**again, "state": "connected"})
    put(sandbox, ended=ended, open_end=open_end, goes_on=goes_on)
    left = {each.id: each.guests[0].left for each in reader.read() if each.guests}
    assert left["ended"] == IN_IT - MINUTE
    assert left["open_end"] == IN_IT
    assert left["goes_on"] is None


def test_what_went_on_then_is_found_unless_it_began_later(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    put(
        sandbox,
        goes_on=conversation(NOW - DAY),
        ended_since=conversation(NOW - DAY, ended=NOW - MINUTE),
        began_since=conversation(SPAN.end + SECOND),
    )
    found = set(reader.ids())
    assert {"goes_on", "ended_since"} <= found
    assert "began_since" not in found


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_pages_are_read_to_the_last(reader: Reader, sandbox: SandboxHandle, count: int) -> None:
    ended = {f"e{at}": conversation(NOW - DAY, ended=IN_IT) for at in range(count)}
    left = {f"l{at}": conversation(NOW - DAY, left=IN_IT) for at in range(count)}
    put(sandbox, **ended, **left)
    assert {*ended, *left} <= set(reader.ids())


def test_reading_ends_with_the_first_page_that_lies_before_the_time(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    before = {
        f"b{at}": conversation(NOW - 2 * DAY, ended=NOW - DAY - at * MINUTE) for at in range(250)
    }
    put(sandbox, **before, one=conversation(NOW - DAY, ended=IN_IT))
    assert "one" in reader.ids()
    assert reader.kinds == ["ended", ""]


def test_what_ends_while_pages_are_read_hides_nothing(
    http: Http, clock: ManualClock, sandbox: SandboxHandle
) -> None:
    left = {f"l{at:03}": conversation(NOW - DAY + at * SECOND, left=IN_IT) for at in range(350)}
    put(sandbox, **left)
    history, cursor, found = PlatformHistory(http=http), None, set[str]()
    ending = iter(sorted(left))
    while True:
        page = history.chats(SPAN, cursor)
        found |= {each.id for each in page.chats}
        cursor = page.next_cursor
        if cursor is None:
            break
        for _ in range(20):
            if chat := next(ending, None):
                clock.advance(0.01)
                sandbox.end_conversation(chat)
    assert left.keys() <= found


def test_a_look_back_of_more_than_a_query_takes_is_read_in_pieces(
    reader: Reader, sandbox: SandboxHandle
) -> None:
    span = Span(start=NOW - 10 * DAY, end=NOW, look_back=31 * DAY)
    put(
        sandbox,
        old=conversation(NOW - 40 * DAY, ended=NOW - 9 * DAY),
        new=conversation(NOW - 2 * DAY, ended=IN_IT),
        open_old=conversation(NOW - 40 * DAY, left=IN_IT),
    )
    assert {"old", "new", "open_old"} <= set(reader.ids(span))
    assert reader.kinds == ["open", "ended", "ended", ""]


def over(kind: str, start: datetime) -> dict[str, Any]:
    """A conversation that ended in the time, or that its customer alone has left."""
    return conversation(start, left=IN_IT, ended=IN_IT if kind == "ended" else None)


def lower_the_limit(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxHandle, hits: int, page: int
) -> None:
    monkeypatch.setattr(chat_search, "LONGEST_LIST", hits)
    monkeypatch.setattr(chat_search, "LARGEST_PAGE", page)
    sandbox.options(analytics_deepest_hit=hits)


def test_more_than_pages_reach_is_read_day_by_day(
    reader: Reader, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower_the_limit(monkeypatch, sandbox, hits=20, page=5)
    made = {
        f"{kind}{day}x{at}": over(kind, NOW - day * DAY + at * SECOND)
        for day in range(1, 6)
        for at in range(9)
        for kind in ("left", "ended")
    }
    put(sandbox, **made)
    assert made.keys() <= set(reader.ids())
    assert sandbox.journal(route=JOBS) == []


@pytest.mark.parametrize("kind", ["left", "ended"])
def test_more_than_pages_reach_in_a_day_is_left_to_a_job(
    reader: Reader, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    lower_the_limit(monkeypatch, sandbox, hits=20, page=5)
    made = {f"m{at}": over(kind, NOW - 20 * MINUTE) for at in range(33)}
    other = "ended" if kind == "left" else "left"
    put(sandbox, **made, other=over(other, NOW - 3 * DAY))
    assert {*made, "other"} <= set(reader.ids())
    assert len(sandbox.journal(method="POST", route=JOBS)) == 1
    assert reader.kinds[-1] == ""


def test_where_jobs_do_not_know_of_the_time_yet_what_pages_reach_is_found_before_they_do(
    reader: Reader, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower_the_limit(monkeypatch, sandbox, hits=5, page=5)
    sandbox.options(analytics_lag_seconds=7_200)
    put(sandbox, **{f"m{at}": conversation(NOW - 18 * MINUTE, left=IN_IT) for at in range(6)})
    span = Span(start=NOW - 16 * MINUTE, end=SPAN.end, look_back=3 * MINUTE)
    assert len(reader.ids(span)) == 5
    assert reader.waits == [chat_search.UNKNOWN_WAIT]


def test_a_job_that_the_api_gives_up_fails(
    reader: Reader, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower_the_limit(monkeypatch, sandbox, hits=5, page=5)
    sandbox.options(analytics_outcome="FAILED")
    put(sandbox, **{f"m{at}": conversation(NOW - 18 * MINUTE, left=IN_IT) for at in range(6)})
    with pytest.raises(Failed, match="ended the search as FAILED"):
        reader.read(Span(start=NOW - 16 * MINUTE, end=SPAN.end, look_back=3 * MINUTE))


def test_pages_that_are_too_long_become_smaller(reader: Reader, sandbox: SandboxHandle) -> None:
    made = {f"e{at}": conversation(NOW - DAY, ended=IN_IT) for at in range(130)}
    made |= {f"l{at}": conversation(NOW - DAY, left=IN_IT) for at in range(130)}
    put(sandbox, **made)
    refusal = {"code": "response.entity.too.large", "message": "The response is over the limit."}
    for skip in (0, 1, 4):
        sandbox.fault(
            kind="status",
            system="platform",
            route=QUERY,
            status=400,
            body=refusal,
            skip=skip,
        )
    assert made.keys() <= set(reader.ids())
    assert [each["hits"] for each in sandbox.faults()] == [1, 1, 1]


def test_a_refusal_for_any_other_reason_is_one(reader: Reader, sandbox: SandboxHandle) -> None:
    sandbox.fault(kind="status", system="platform", route=QUERY, status=400)
    with pytest.raises(BadRequest):
        reader.read()


def test_a_missing_permission_is_named(reader: Reader, sandbox: SandboxHandle) -> None:
    sandbox.put_client("platform-client", permissions=["conversation:communication:view"])
    with pytest.raises(Forbidden, match="analytics:conversationDetail:view"):
        reader.read()


@pytest.mark.parametrize("cursor", ["bmV4dA==", "open:1:2", "closed:1:100:0:1"])
def test_a_cursor_of_another_api_is_refused(http: Http, cursor: str) -> None:
    with pytest.raises(Rejected, match="cursor"):
        PlatformHistory(http=http).chats(SPAN, cursor)


def test_a_state_is_all_attributes_of_everybody(http: Http, sandbox: SandboxHandle) -> None:
    tier = {"tier": "gold"}
    put(sandbox, c=conversation(NOW - DAY, ended=IN_IT, contact="contact-1", attributes=tier))
    state = PlatformHistory(http=http).read_state("c")
    assert state.contacts == ["contact-1"]
    assert state.parties == [
        Party(id="customer", attributes=tier, communications=["customer-session"]),
        Party(id="agent", attributes={}, communications=["agent-session"]),
    ]
    assert "gold" not in repr(state)
    with pytest.raises(NotFound):
        PlatformHistory(http=http).read_state("unknown")
