"""The Platform API's analytics: queries that are answered at once, and jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle
from workers.sandbox.wire import instant, iso

Ask = Callable[..., requests.Response]
ANALYTICS = "/api/v2/analytics/conversations"
QUERY, JOBS = f"{ANALYTICS}/details/query", f"{ANALYTICS}/details/jobs"
DAY = "2025-01-16T00:00:00Z/2025-01-17T00:00:00Z"
MONTH = "2025-01-15T00:00:00Z/2025-02-15T00:00:00Z"


def only(dimension: str, value: str = "", operator: str = "matches") -> list[dict[str, Any]]:
    """A filter of one predicate."""
    predicate = {"type": "dimension", "dimension": dimension, "operator": operator}
    return [{"type": "and", "predicates": [predicate | ({"value": value} if value else {})]}]


COMPLETED = {
    "segmentFilters": only("mediaType", "message"),
    "conversationFilters": only("conversationEnd", operator="exists"),
}


def asked(interval: str = DAY, **changes: Any) -> dict[str, Any]:
    return {"interval": interval, **COMPLETED, **changes}


def ids(body: dict[str, Any]) -> list[str]:
    return [each["conversationId"] for each in body.get("conversations", [])]


def starts(body: dict[str, Any]) -> list[str]:
    return [each["conversationStart"] for each in body["conversations"]]


def test_completed_message_conversations_of_a_day_are_found(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    body = platform("POST", QUERY, json=asked()).json()
    transcripts = sandbox.ids("messageTranscripts")
    assert (body["totalHits"], ids(body)) == (12, transcripts[12:24])
    assert starts(body) == sorted(starts(body))
    for each in body["conversations"]:
        sessions = [one for who in each["participants"] for one in who["sessions"]]
        assert {one["mediaType"] for one in sessions} == {"message"}
        assert each["conversationEnd"] > each["conversationStart"]
        assert all("attributes" not in who for who in each["participants"])


def test_an_interval_touches_whole_days(platform: Ask) -> None:
    minute = "2025-01-16T23:59:00Z/2025-01-17T00:00:00Z"
    whole = platform("POST", QUERY, json=asked()).json()
    assert platform("POST", QUERY, json=asked(minute)).json() == whole
    with_next = platform("POST", QUERY, json=asked(minute.replace("00:00:00Z", "00:00:01Z")))
    assert with_next.json()["totalHits"] == 24


def test_pages_hold_everything_once(platform: Ask) -> None:
    pages = [
        platform("POST", QUERY, json=asked(paging={"pageSize": 5, "pageNumber": number})).json()
        for number in (1, 2, 3, 4)
    ]
    assert [len(ids(page)) for page in pages] == [5, 5, 2, 0]
    assert [each for page in pages for each in ids(page)] == ids(
        platform("POST", QUERY, json=asked()).json()
    )
    assert pages[3] == {"totalHits": 12}
    assert len(ids(platform("POST", QUERY, json=asked(MONTH)).json())) == 25


def test_the_order_may_be_turned_round(platform: Ask) -> None:
    up = ids(platform("POST", QUERY, json=asked()).json())
    for order_by in ("conversationStart", "conversationEnd", "segmentStart"):
        down = platform("POST", QUERY, json=asked(order="desc", orderBy=order_by)).json()
        assert ids(down) == up[::-1]


def test_what_has_not_ended_comes_last_of_those_that_ended_last(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    query = {"interval": MONTH, "order": "desc", "orderBy": "conversationEnd"}
    total, page, ends = 1, 0, list[str | None]()
    while len(ends) < total:
        page += 1
        paging = {"pageSize": 100, "pageNumber": page}
        body = platform("POST", QUERY, json={**query, "paging": paging}).json()
        total = body["totalHits"]
        ends += [each.get("conversationEnd") for each in body["conversations"]]
    known = [each for each in ends if each]
    assert known == sorted(known, reverse=True)
    assert ends[: len(known)] == known
    assert 0 < len(known) < len(ends)


def test_pages_reach_only_so_far(sandbox: SandboxHandle, platform: Ask) -> None:
    sandbox.options(analytics_deepest_hit=10)
    statuses = [
        platform("POST", QUERY, json=asked(paging={"pageSize": 5, "pageNumber": n})).status_code
        for n in (1, 2, 3)
    ]
    assert statuses == [200, 200, 400]


def test_a_query_may_not_know_yet_what_has_happened(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.options(analytics_query_lag_seconds=30)
    chat = next(
        each
        for each in sandbox.ids("platformConversations")
        if (held := sandbox.get("platformConversations", each)).get("endTime") is None
        and "messages" in held["participants"][0]
    )
    query = {
        "interval": MONTH,
        "conversationFilters": only("conversationId", chat),
        "paging": {"pageSize": 5, "pageNumber": 1},
    }

    def told() -> tuple[bool, bool]:
        (found,) = platform("POST", QUERY, json=query).json()["conversations"]
        (segment,) = found["participants"][0]["sessions"][0]["segments"]
        return "conversationEnd" in found, "segmentEnd" in segment

    sandbox.end_conversation(chat)
    assert told() == (False, False)
    clock.advance(29)
    assert told() == (False, False)
    clock.advance(1)
    assert told() == (True, True)


def test_a_query_may_not_know_yet_what_has_begun(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.options(analytics_query_lag_seconds=30)
    (first, *_) = sandbox.ids("messageTranscripts")
    begun = {**sandbox.get("platformConversations", first), "startTime": iso(clock.now)}
    del begun["endTime"]
    sandbox.put("platformConversations", "begun", {**begun, "id": "begun"})
    today = f"{iso(clock.now - 60)}/{iso(clock.now)}"
    query = {"interval": today, "segmentFilters": only("mediaType", "message")}
    assert platform("POST", QUERY, json=query).json() == {"totalHits": 0}
    clock.advance(30)
    assert ids(platform("POST", QUERY, json=query).json()) == ["begun"]


def test_whoever_is_no_customer_was_reached_by_the_queue(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    listed = platform("POST", QUERY, json=asked()).json()["conversations"][0]
    queues = {
        who["purpose"]: {one.get("queueId") for s in who["sessions"] for one in s["segments"]}
        for who in listed["participants"]
    }
    assert queues == {"customer": {None}, "agent": {sandbox.queue_id()}}


def test_filters_choose_by_conversation_and_by_segment(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    def hits(**filters: Any) -> int:
        body = {"interval": MONTH, "paging": {"pageSize": 100, "pageNumber": 1}, **filters}
        return int(platform("POST", QUERY, json=body).json()["totalHits"])

    everything = hits()
    assert everything == len(sandbox.ids("platformConversations"))
    ended = hits(conversationFilters=only("conversationEnd", operator="exists"))
    going_on = hits(conversationFilters=only("conversationEnd", operator="notExists"))
    assert ended + going_on == everything
    assert min(ended, going_on) > 0
    voice = hits(segmentFilters=only("mediaType", "voice"))
    message = hits(segmentFilters=only("mediaType", "message"))
    assert voice + message == everything
    both = [{"type": "or", "predicates": [p["predicates"][0] for p in _medias()]}]
    assert hits(segmentFilters=both) == everything
    neither = [{"type": "and", "predicates": both[0]["predicates"]}]
    assert hits(segmentFilters=neither) == 0
    nested = [{"type": "and", "clauses": both, "predicates": []}]
    assert hits(segmentFilters=nested) == everything
    one = sandbox.ids("messageTranscripts")[0]
    assert hits(conversationFilters=only("conversationId", one)) == 1


def _medias() -> list[dict[str, Any]]:
    return only("mediaType", "voice") + only("mediaType", "message")


@pytest.mark.parametrize(
    "changes",
    [
        {"interval": "yesterday"},
        {"interval": "2025-01-16T00:00:00Z"},
        {"interval": "2025-01-17T00:00:00Z/2025-01-16T00:00:00Z"},
        {"interval": "2025-01-15T00:00:00Z/2025-02-15T00:00:01Z"},
        {"paging": {"pageSize": 101, "pageNumber": 1}},
        {"paging": {"pageSize": 0, "pageNumber": 1}},
        {"paging": {"pageSize": 10, "pageNumber": 0}},
        {"paging": {"pageSize": 10}},
        {"order": "random"},
        {"segmentFilters": only("colour", "red")},
        {"conversationFilters": only("mediaType", "message")},
        {"segmentFilters": [{"predicates": []}]},
        {"limit": 5},
    ],
)
def test_a_wrong_query_is_400(platform: Ask, changes: dict[str, Any]) -> None:
    assert platform("POST", QUERY, json=asked(**changes)).status_code == 400


def test_one_conversation_is_told_alone(sandbox: SandboxHandle, platform: Ask) -> None:
    listed = platform("POST", QUERY, json=asked()).json()["conversations"][0]
    path = f"{ANALYTICS}/{listed['conversationId']}/details"
    assert platform("GET", path).json() == listed
    assert platform("GET", f"{ANALYTICS}/unknown/details").status_code == 404


def start(ask: Ask, **changes: Any) -> str:
    answer = ask("POST", JOBS, json=asked(**changes))
    assert answer.status_code == 202
    return str(answer.json()["jobId"])


def test_a_job_takes_its_time_and_has_all_results(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.options(analytics_queued_seconds=5, analytics_pending_seconds=10)
    path = f"{JOBS}/{start(platform, interval=MONTH)}"
    for seconds, state in ((0, "QUEUED"), (5, "PENDING"), (9.9, "PENDING")):
        clock.advance(seconds)
        answer = platform("GET", path)
        assert (answer.status_code, answer.json()["state"]) == (202, state)
        assert platform("GET", f"{path}/results").status_code == 400
    clock.advance(0.1)
    answer = platform("GET", path)
    assert (answer.status_code, answer.json()["state"]) == (200, "FULFILLED")
    found, cursor = [], ""
    while True:
        page = platform("GET", f"{path}/results?pageSize=50&cursor={cursor}").json()
        found.append(ids(page))
        cursor = page.get("cursor", "")
        if not cursor:
            break
    assert [len(page) for page in found] == [50, 50, 20]
    assert [each for page in found for each in page] == sandbox.ids("messageTranscripts")


def test_a_job_counts_what_was_active_and_knows_attributes(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    first = sandbox.get("platformConversations", sandbox.ids("messageTranscripts")[0])
    ended = instant(first["endTime"]).timestamp()
    during = f"{iso(ended - 1)}/{iso(ended)}"
    after = f"{iso(ended + 1)}/{iso(ended + 2)}"
    results = []
    for interval in (during, after):
        path = f"{JOBS}/{start(platform, interval=interval)}/results"
        clock.advance(1)
        results.append(platform("GET", path).json())
    assert ids(results[0]) == [first["id"]]
    assert "conversations" not in results[1]
    participants = results[0]["conversations"][0]["participants"]
    assert all(each["attributes"] == {} for each in participants)


def test_jobs_lag_behind_and_say_so(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    known = instant("2025-01-16T12:00:00Z").timestamp()
    sandbox.options(analytics_lag_seconds=clock.now - known)
    available = platform("GET", f"{JOBS}/availability").json()
    assert available == {"dataAvailabilityDate": iso(known)}
    path = f"{JOBS}/{start(platform)}/results"
    clock.advance(1)
    body = platform("GET", path).json()
    assert len(body["conversations"]) == 6
    assert max(starts(body)) < iso(known)
    assert body["dataAvailabilityDate"] == iso(known)


def test_a_job_may_fail(sandbox: SandboxHandle, platform: Ask, clock: ManualClock) -> None:
    sandbox.options(analytics_outcome="FAILED")
    path = f"{JOBS}/{start(platform)}"
    clock.advance(1)
    assert platform("GET", path).json()["state"] == "FAILED"
    assert platform("GET", f"{path}/results").status_code == 400


def test_a_cursor_of_another_job_is_400(platform: Ask, clock: ManualClock) -> None:
    one, other = start(platform), start(platform)
    clock.advance(1)
    cursor = platform("GET", f"{JOBS}/{one}/results?pageSize=5").json()["cursor"]
    for strange in (cursor, "none"):
        answer = platform("GET", f"{JOBS}/{other}/results?cursor={strange}")
        assert answer.status_code == 400
    assert platform("GET", f"{JOBS}/{one}/results?pageSize=1001").status_code == 400
    assert platform("GET", f"{JOBS}/unknown").status_code == 404
