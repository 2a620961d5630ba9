"""What is counted and how it is told: names, labels, answers that are a few seconds old."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks import errors
from tasks.apis.calls import Call
from tasks.errors import SettingsError
from tests.support import exposition
from tests.support.statuses import queue, status, system, worker
from tests.support.waiting import wait_until
from workers.consuming.delivery import moment_of
from workers.metrics import address
from workers.metrics.address import Address
from workers.metrics.cluster import Cluster
from workers.metrics.counts import Counts, status_class
from workers.metrics.reasons import word_for
from workers.metrics.recent import Recent
from workers.metrics.redis_up import RedisUp
from workers.metrics.server import bound, serve
from workers.settings import Settings

W = "genesys_workers"
ROUTE = "/api/v2/identity/profiles/{profile_id}"
AT: dict[str, Any] = {"system": "genesys", "method": "GET", "route": ROUTE, "status": 503}


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9470", "127.0.0.1", 9470),
        (":9470", "127.0.0.1", 9470),
        ("0.0.0.0:0", "0.0.0.0", 0),  # noqa: S104  # only read
        ("[::1]:9470", "::1", 9470),
        ("metrics.internal:80", "metrics.internal", 80),
    ],
)
def test_an_address_is_a_host_and_a_port_and_without_a_host_the_loopback(
    text: str, host: str, port: int
) -> None:
    found = address.parse(text)
    assert (found.host, found.port) == (host, port)
    assert address.parse(str(found)) == found


@pytest.mark.parametrize(
    "text", ["", "9470", "host:", "host:65536", "::1:9470", "h:1 ", "http://h:1"]
)
def test_what_is_no_address_stops_the_start_with_the_variable_and_the_rule(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_ADDRESS", text)
    with pytest.raises(SettingsError, match=r"^METRICS_ADDRESS: must be host:port, such as "):
        Settings.load()


def test_metrics_are_off_unless_an_address_is_given() -> None:
    assert Settings(_env_file=None).metrics_address is None


@pytest.mark.parametrize(
    ("status", "name"),
    [(200, "2xx"), (204, "2xx"), (302, "3xx"), (404, "4xx"), (429, "429"), (503, "5xx")],
)
def test_calls_are_counted_by_the_class_of_their_status_and_429_for_itself(
    status: int, name: str
) -> None:
    assert status_class(status) == name


def test_a_call_without_an_answer_is_counted_as_that() -> None:
    counts = Counts()
    counts.called("acme", "genesys", call(), None, 0.3)
    shown = exposition.of(counts.registry)
    where = {"system": "genesys", "method": "GET", "route": ROUTE}
    assert shown.value(f"{W}_api_calls_total", tenant="acme", status="none", **where) == 1
    assert shown.value(f"{W}_api_call_seconds_bucket", le="0.25", **where) == 0
    assert shown.value(f"{W}_api_call_seconds_bucket", le="0.5", **where) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (errors.Postponed("the draft is not stored yet", 1.0), "waiting"),
        (errors.Postponed("genesys of acme has spent its budget", 1.0, kind="budget"), "budget"),
        (errors.RateLimited(**{**AT, "status": 429}, retry_after=3), "rate_limited"),
        (errors.StateChanged(**{**AT, "status": 409}), "conflict"),
        (errors.Unreachable(**AT), "unreachable"),
        (errors.OutcomeUnknown(**AT), "outcome_unknown"),
        (KeyError("secret"), "fault"),
    ],
)
def test_why_a_message_comes_back_is_one_of_few_words(error: Exception, word: str) -> None:
    assert word_for(error) == word


def test_a_latency_is_never_negative_whatever_clocks_say() -> None:
    counts = Counts()
    counts.took("acme", "sync_profile", "enqueue", -4.0)
    shown = exposition.of(counts.registry)
    about = {"tenant": "acme", "task": "sync_profile", "since": "enqueue"}
    assert shown.value(f"{W}_latency_seconds_sum", **about) == 0
    assert shown.value(f"{W}_latency_seconds_count", **about) == 1


def test_faults_are_shown_before_the_first_so_that_an_increase_can_be_seen() -> None:
    shown = exposition.of(Counts().registry)
    kinds = {dict(labels)["kind"] for labels in shown.samples[f"{W}_faults_total"]}
    assert kinds == {"unexpected", "process_died", "broker"}
    assert shown.total(f"{W}_faults_total") == 0
    assert shown.value(f"{W}_leases_lost_total") == 0


def test_the_moment_at_which_counting_began_is_not_shown() -> None:
    counts = Counts()
    counts.ended("acme", "sync_profile", "done")
    counts.took("acme", "sync_profile", "claim", 1.0)
    assert "_created" not in exposition.of(counts.registry).text


def test_renewed_counts_begin_at_zero() -> None:
    counts = Counts()
    counts.ended("acme", "sync_profile", "done")
    counts.renew()
    assert exposition.of(counts.registry).total(f"{W}_operations_total") == 0


@pytest.mark.parametrize(
    "header", [None, "", "1796040638", True, float("nan"), float("inf"), 0, -1]
)
def test_a_moment_that_makes_no_sense_is_none(header: object) -> None:
    assert moment_of(header) is None


def test_a_producer_may_say_when_a_message_was_put_on_its_queue() -> None:
    now = time.time()
    assert moment_of(now) == now
    assert moment_of(int(now)) == int(now)
    assert moment_of(now - 31 * 86_400) is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_kept_for_a_while_and_then_asked_for_again() -> None:
    clock, answers = Clock(), iter("abc")
    recent = Recent(ask=lambda: next(answers), keep=5.0, clock=clock)
    assert [recent.get(), recent.get()] == ["a", "a"]
    clock.now = 4.9
    assert recent.get() == "a"
    clock.now = 5.0
    assert recent.get() == "b"


def test_a_failure_is_no_answer_is_not_kept_and_is_logged_once() -> None:
    outcomes: list[Exception | str] = [ConnectionError("secret"), ConnectionError("secret"), "back"]

    def ask() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    recent = Recent(ask=ask)
    with capture_logs() as logged:
        assert [recent.get(), recent.get(), recent.get()] == [None, None, "back"]
    assert [line["event"] for line in logged] == ["metrics.unknown"]
    assert "secret" not in str(logged)


def test_whoever_asks_waits_no_longer_than_its_patience_and_is_answered_later() -> None:
    go_on, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        go_on.wait(30)
        return "late"

    recent = Recent(ask=ask, patience=0.01)
    assert [recent.get(), recent.get()] == [None, None]
    wait_until(lambda: asked, 10, "it is asked")
    assert asked == [1], "one question at a time"
    go_on.set()
    wait_until(lambda: recent.get() == "late", 10, "the answer is there")
    assert asked == [1]


def test_the_cluster_is_shown_queue_by_queue_and_system_by_system() -> None:
    seen = status(
        queues=(
            queue("attributes", waiting=3, delayed=2, leased=1, head_waits=4.5, achieved=1.25),
            queue("merge.acme", waiting=1, trouble="no worker reads it"),
            queue("celery", rate=None),
        ),
        strays=(queue("merge.typo", waiting=7, delayed=1),),
        systems=(system("acme", "genesys", limit=300, spent=120, reserved=5, pause_left=2.5),),
        pauses=("acme",),
        workers=(worker("w-1", slots=16), worker("w-2", slots=8), worker("w-3", alive=False)),
        held=4,
        dead_letters=9,
    )
    shown = exposition.of(Cluster(Recent(ask=lambda: seen)))
    live = {"queue": "attributes", "tenant": "default"}
    acme = {"queue": "merge.acme", "tenant": "acme"}
    genesys = {"tenant": "acme", "system": "genesys"}
    assert shown.value(f"{W}_redis_up") == 1
    for state, count in (("waiting", 3), ("delayed", 2), ("leased", 1)):
        assert shown.value(f"{W}_queue_messages", state=state, **live) == count
    assert shown.value(f"{W}_queue_head_wait_seconds", **live) == 4.5
    assert shown.value(f"{W}_queue_head_wait_seconds", **acme) == 0
    assert shown.value(f"{W}_queue_rate_per_second", **live) == 100
    assert shown.value(f"{W}_queue_rate_per_second", queue="celery", tenant="default") is None
    assert shown.value(f"{W}_queue_started_per_second", **live) == 1.25
    assert shown.value(f"{W}_queue_unread", **live) == 0
    assert shown.value(f"{W}_queue_unread", **acme) == 1
    assert shown.value(f"{W}_budget_limit_calls", **genesys) == 300
    assert shown.value(f"{W}_budget_used_calls", **genesys) == 120
    assert shown.value(f"{W}_budget_reserved_calls", **genesys) == 5
    assert shown.value(f"{W}_pause_left_seconds", **genesys) == 2.5
    assert shown.value(f"{W}_tenant_paused", tenant="acme") == 1
    assert shown.value(f"{W}_alive") == 2
    assert shown.value(f"{W}_slots") == 24
    assert shown.value(f"{W}_held_messages") == 4
    assert shown.value(f"{W}_dead_letters_held") == 9
    assert shown.value(f"{W}_stray_queues") == 1
    assert shown.value(f"{W}_stray_messages") == 8
    assert "typo" not in shown.text, "strangers choose the names of stray queues"


def test_a_cluster_that_cannot_be_seen_says_so_and_shows_no_old_figures() -> None:
    def away() -> None:
        raise errors.BrokerAway("away")

    shown = exposition.of(Cluster(Recent(ask=away)))  # type: ignore[arg-type]  # it never answers
    assert list(shown.samples) == [f"{W}_redis_up"]
    assert shown.value(f"{W}_redis_up") == 0


@pytest.mark.parametrize(("answer", "up"), [(True, 1), (False, 0)])
def test_a_worker_tells_whether_it_reaches_redis(answer: bool, up: int) -> None:
    assert exposition.of(RedisUp(Recent(ask=lambda: answer))).value(f"{W}_redis_up") == up


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    server = serve(Address(host="127.0.0.1", port=0), [])
    try:
        taken = bound(server)
        with pytest.raises(SettingsError, match=rf"^METRICS_ADDRESS: cannot listen on {taken}: "):
            serve(taken, [])
    finally:
        server.shutdown()
        server.server_close()


def test_a_host_that_is_not_this_machine_is_refused_in_one_line() -> None:
    with pytest.raises(SettingsError, match=r"^METRICS_ADDRESS: cannot listen on host\.invalid:1"):
        serve(Address(host="host.invalid", port=1), [])


def test_a_scrape_that_fails_is_logged_without_what_failed() -> None:
    class Broken:
        def collect(self) -> None:
            raise ValueError("secret")

    server = serve(Address(host="127.0.0.1", port=0), [Broken()])  # type: ignore[list-item]
    try:
        with capture_logs() as logged, pytest.raises(AssertionError):
            exposition.scraped(str(bound(server)))
        assert [line["event"] for line in logged] == ["metrics.failed"]
        assert "secret" not in str(logged)
    finally:
        server.shutdown()
        server.server_close()


def call() -> Call:
    return Call(method="GET", route=ROUTE, needs="", ids={"profile_id": "p-1"})
