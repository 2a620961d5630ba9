"""Finding completed conversations by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.apis.genesys_platform.interactions import PlatformInteractions
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.errors import Failed, Postponed, Rejected
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, 12, 0, 0, 500_250, tzinfo=UTC)
DAY = timedelta(days=1)
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


class Sweep:
    """Searches from page to page, and lets time pass where that is asked for."""

    def __init__(self, http: Http, clock: ManualClock) -> None:
        self._genesys = PlatformInteractions(http=http, settings=PlatformSettings())
        self._clock = clock
        self.cursors: list[str] = []
        self.waits: list[tuple[float, float | None]] = []

    def ids(self, since: datetime | None, until: datetime, page_size: int = 100) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while cursor is not None or not self.cursors:
            page = self.page(since, until, page_size, cursor)
            found += page.ids
            cursor = page.next_cursor
            self.cursors.append(cursor or "")
        return found

    def page(self, since: datetime | None, until: datetime, size: int, cursor: str | None) -> Any:
        while True:
            try:
                return self._genesys.completed_interactions(
                    since=since, until=until, page_size=size, cursor=cursor
                )
            except Postponed as postponed:
                self.waits.append((postponed.wait, postponed.deadline))
                self._clock.advance(postponed.wait / 40)

    def kinds(self) -> list[str]:
        return [cursor.partition(":")[0] for cursor in self.cursors]


@pytest.fixture
def sweep(http: Http, clock: ManualClock) -> Sweep:
    return Sweep(http, clock)


def put(sandbox: SandboxHandle, **started: datetime) -> None:
    """Add message conversations that have ended."""
    documents = {each: conversation(start) for each, start in started.items()}
    sandbox.put_many("platformConversations", documents)


def conversation(start: datetime, *, ended: bool = True, media: str = "messages") -> dict[str, Any]:
    communication = {"id": "c", "state": "disconnected", "connectedTime": start.isoformat()}
    guest = {"id": "p", "purpose": "customer", "attributes": {}, media: [communication]}
    end = {"endTime": (start + timedelta(minutes=5)).isoformat()} if ended else {}
    return {"startTime": start.isoformat(), "participants": [guest], **end}


def test_only_what_is_messages_has_ended_and_began_in_the_time_is_found(
    sweep: Sweep, sandbox: SandboxHandle
) -> None:
    since, until = NOW - 2 * DAY, NOW - DAY
    put(
        sandbox,
        too_early=since - timedelta(milliseconds=1),
        first=since,
        last=until - timedelta(milliseconds=1),
        too_late=until,
    )
    sandbox.put("platformConversations", "live", conversation(since + DAY / 2, ended=False))
    sandbox.put("platformConversations", "voice", conversation(since + DAY / 2, media="calls"))
    assert sweep.ids(since, until) == ["first", "last"]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (2, 1), (3, 2), (7, 3)])
def test_short_spans_are_read_page_by_page(
    sweep: Sweep, sandbox: SandboxHandle, count: int, pages: int
) -> None:
    put(sandbox, **{f"c{at}": NOW - DAY + at * timedelta(minutes=1) for at in range(count)})
    assert sweep.ids(NOW - 2 * DAY, NOW, page_size=3) == [f"c{at}" for at in range(count)]
    assert sweep.kinds() == ["query"] * (pages - 1) + [""]
    assert len(sandbox.journal(route=QUERY)) == pages


def test_a_long_span_is_left_to_a_job_and_what_is_newer_to_queries(
    sweep: Sweep, sandbox: SandboxHandle
) -> None:
    sandbox.options(analytics_lag_seconds=86_400.0)
    put(sandbox, **{f"c{at:02}": NOW - 60 * DAY + at * 2 * DAY for at in range(30)})
    put(sandbox, newest=NOW - timedelta(hours=1))
    expected = [*(f"c{at:02}" for at in range(30)), "newest"]
    assert sweep.ids(NOW - 61 * DAY, NOW, page_size=10) == expected
    assert sweep.kinds() == ["job", "job", "job", "query", ""]
    assert sweep.waits == [(10, 3_600), (10, 3_600)]
    assert len(sandbox.journal(method="POST", route=JOBS)) == 1


def test_a_search_without_a_beginning_looks_back_far(sweep: Sweep, sandbox: SandboxHandle) -> None:
    put(sandbox, old=NOW - 400 * DAY, new=NOW - DAY)
    assert sweep.ids(None, NOW)[-2:] == ["old", "new"]


def test_a_list_too_long_for_pages_is_left_to_a_job(sweep: Sweep, sandbox: SandboxHandle) -> None:
    put(sandbox, one=NOW - DAY)
    sandbox.fault(
        kind="status", system="platform", route=QUERY, status=200, body={"totalHits": 10_001}
    )
    assert sweep.ids(NOW - 2 * DAY, NOW) == ["one"]
    assert sweep.kinds()[0] == "job"


def test_queries_go_on_window_by_window_where_jobs_know_nothing_yet(
    sweep: Sweep, sandbox: SandboxHandle
) -> None:
    sandbox.options(analytics_lag_seconds=100 * 86_400.0)
    put(sandbox, **{f"c{at}": NOW - 70 * DAY + at * 10 * DAY for at in range(7)})
    assert sweep.ids(NOW - 70 * DAY, NOW) == [f"c{at}" for at in range(7)]
    assert sweep.kinds() == ["query", "query", ""]
    assert sandbox.journal(route=JOBS) == []


def test_a_job_that_the_api_gives_up_ends_the_search(sweep: Sweep, sandbox: SandboxHandle) -> None:
    sandbox.options(analytics_outcome="FAILED")
    with pytest.raises(Failed, match="ended the search as FAILED"):
        sweep.ids(None, NOW)


def test_a_time_that_ends_before_it_begins_holds_nothing(
    sweep: Sweep, sandbox: SandboxHandle
) -> None:
    assert sweep.ids(NOW + DAY, NOW) == []
    assert sandbox.journal(system="platform") == []


def test_a_cursor_of_another_api_is_refused(sweep: Sweep) -> None:
    with pytest.raises(Rejected, match="cursor"):
        sweep.page(None, NOW, 100, "bmV4dA==")
