"""Spans: one of each attempt, call and event, linked by messages; none, unless they are wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from redis import Redis
from structlog.testing import capture_logs

from tests.support.arriving import left
from tests.support.bridges import SECRET, BridgeSite, url_of
from tests.support.cluster import Cluster, wait_until
from tests.support.cranked import CrankedWorker
from tests.support.hearing import hearing
from tests.support.occurring import queued, wanted
from tests.support.worker_group import POOLS
from workers.app import WorkersApp
from workers.bridge.publishing.once import Once
from workers.bridge.receiving.receiver import SECRET_HEADER
from workers.sandbox.testing import SandboxHandle
from workers.watching import tracing
from workers.watching.tracing import UNTRACED, Tracer

if TYPE_CHECKING:
    from tests.support.spans import Collector, Spans

PARTICIPANTS = "/api/v2/conversations/voice/participants"
PATCH = "PATCH /api/v2/conversations/voice/participants/{participant_id}"
MERGE = "POST /api/v2/identity/profiles/merge"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
THEIRS = {"traceparent": f"00-{TRACE}-{PARENT}-01"}

#: All that a span may say; what it says of a call has names of OpenTelemetry's.
FACTS = {
    "consumer": {"tenant", "message_id", "operation_id", "correlation_id", "attempts", "status"},
    "client": {
        *("tenant", "system"),
        *("http.request.method", "url.template", "http.response.status_code"),
    },
    "producer": {"tenant", "task", "rule", "source", "correlation_id", "put"},
}


@pytest.fixture
def spans() -> Spans:
    what = "opentelemetry.exporter.otlp.proto.http"
    pytest.importorskip(what, reason="the extra otel is not installed")
    from tests.support.spans import Spans

    return Spans()


@pytest.fixture
def traced(cranked: CrankedWorker, spans: Spans) -> CrankedWorker:
    """A worker that traces."""
    vars(cranked.app.services)["tracer"] = spans.tracer
    return cranked


def attributes(cluster: Cluster, **values: str) -> dict[str, Any]:
    conversation = cluster.sandbox.ids("conversations", state="active")[0]
    return {"conversation_id": conversation, "attributes": values or {"tier": "canary-gold"}}


def merge(cluster: Cluster) -> dict[str, Any]:
    target, source = cluster.sandbox.ids("profiles")[:2]
    return {"source_profile_ids": [source], "target_profile_id": target}


# Attempts and calls


def test_an_attempt_is_a_span_and_so_is_each_of_its_calls(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    message = {**attributes(cluster), "correlation_id": "c-1"}
    traced.send("set_attributes", message, "attributes", task_id="a-1")
    traced.drain("attributes")
    (attempt,) = spans.ended("set_attributes")
    assert attempt.facts == {
        "tenant": "default",
        "message_id": "a-1",
        "operation_id": "a-1",
        "correlation_id": "c-1",
        "attempts": 1,
        "status": "done",
    }
    assert (attempt.kind, attempt.parent, attempt.failed) == ("consumer", "", False)
    calls = [each for each in spans.ended() if each.kind == "client"]
    get_one = PATCH.replace("PATCH", "GET")
    expected = ["POST /oauth/token", f"GET {PARTICIPANTS}", PATCH, get_one]
    assert [each.name for each in calls] == expected
    assert {each.parent for each in calls} == {attempt.id}
    assert not any(each.failed for each in calls)
    assert calls[2].facts == {
        "tenant": "default",
        "system": "genesys",
        "http.request.method": "PATCH",
        "url.template": PATCH.removeprefix("PATCH "),
        "http.response.status_code": 200,
    }


def test_a_span_says_nothing_else_and_no_argument(
    cluster: Cluster, traced: CrankedWorker, spans: Spans, redis: Redis
) -> None:
    put_one(traced, "values:a")
    traced.send("set_attributes", attributes(cluster), "attributes")
    traced.send("set_attributes", {"colour": "canary"}, "attributes")
    traced.drain("attributes", "sync")
    found = spans.ended()
    assert {each.kind for each in found} == FACTS.keys()
    for each in found:
        assert each.facts.keys() <= FACTS[each.kind], each.name
        assert "canary" not in each.texts
        assert attributes(cluster)["conversation_id"] not in each.texts


def test_what_comes_again_is_another_span_of_the_same_trace(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    cluster.sandbox.fault(route=PARTICIPANTS, kind="status", status=503)
    traced.send("set_attributes", attributes(cluster), "attributes", headers=THEIRS)
    traced.drain("attributes")
    first, second = spans.ended("set_attributes")
    assert [each.facts["status"] for each in (first, second)] == ["put_back", "done"]
    assert [each.facts["attempts"] for each in (first, second)] == [1, 2]
    assert {(each.trace, each.parent) for each in (first, second)} == {(TRACE, PARENT)}
    assert not first.failed
    failed, well = spans.ended(f"GET {PARTICIPANTS}")
    assert (failed.failed, failed.facts["http.response.status_code"]) == (True, 503)
    assert (well.failed, well.parent) == (False, second.id)


def test_what_ends_badly_has_failed_and_shows_no_reason(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    message = {**attributes(cluster), "conversation_id": "nobody-1"}
    traced.send("set_attributes", message, "attributes")
    traced.send("set_attributes", {"colour": "red"}, "attributes")
    traced.drain("attributes")
    for attempt in spans.ended("set_attributes"):
        assert (attempt.failed, attempt.facts["status"]) == (True, "rejected")
        assert json.loads(attempt.texts)["events"] == []
        assert json.loads(attempt.texts)["status"] == {"status_code": "ERROR"}


def test_an_answer_that_never_came_is_a_call_without_a_status(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    cluster.sandbox.fault(route=PARTICIPANTS, kind="reset_before")
    traced.send("set_attributes", attributes(cluster), "attributes")
    traced.drain("attributes")
    lost, _ = spans.ended(f"GET {PARTICIPANTS}")
    assert lost.failed
    assert "http.response.status_code" not in lost.facts


# Links


def test_a_producers_own_trace_goes_on(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    headers = {**THEIRS, "tracestate": "vendor=1"}
    traced.send("merge_and_sync", merge(cluster), "merge", headers=headers)
    traced.drain("merge", "sync")
    (merged,), (synced,) = spans.ended("merge_and_sync"), spans.ended("sync_profile")
    assert (merged.trace, merged.parent) == (TRACE, PARENT)
    assert (synced.trace, synced.parent) == (TRACE, merged.id)
    assert {each.trace for each in spans.ended()} == {TRACE}


@pytest.mark.parametrize("header", [7, None, "", "nonsense", ["00"], "00-0-0-01", "x" * 9_000])
def test_a_header_that_makes_no_sense_begins_a_trace(
    cluster: Cluster, traced: CrankedWorker, spans: Spans, header: Any
) -> None:
    traced.send(
        "set_attributes", attributes(cluster), "attributes", headers={"traceparent": header}
    )
    (turn,) = traced.drain("attributes")
    assert turn.result["status"] == "done"
    (attempt,) = spans.ended("set_attributes")
    assert attempt.parent == ""


def test_a_message_is_the_same_operation_whatever_trace_it_comes_by(
    cluster: Cluster, traced: CrankedWorker, spans: Spans
) -> None:
    message = {**attributes(cluster), "operation_id": "o-1"}
    for headers in (THEIRS, {}, {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}):
        traced.send("set_attributes", message, "attributes", headers=headers)
    turns = traced.drain("attributes")
    assert len(turns) == 3
    assert all(turn.result == turns[0].result for turn in turns)
    assert len(cluster.sandbox.effects()) == 1
    assert len(spans.ended(PATCH)) == 1


def put_one(worker: CrankedWorker, value: str, at: int = 10) -> list[str]:
    once = Once(outbox=worker.app.services.outbox)
    return list(once.put([wanted(value, at)]))


def test_an_event_that_makes_a_message_begins_its_trace(
    traced: CrankedWorker, spans: Spans, redis: Redis
) -> None:
    assert put_one(traced, "values:a") == ["new"]
    (put,) = spans.ended("put sync_profile")
    assert put.facts == {
        "tenant": "default",
        "task": "sync_profile",
        "rule": "contact-changed",
        "source": "websocket",
        "correlation_id": "request-1",
        "put": "new",
    }
    (message,) = queued(redis)
    assert message["headers"]["traceparent"] == put.link
    traced.drain("sync")
    (synced,) = spans.ended("sync_profile")
    assert (synced.trace, synced.parent) == (put.trace, put.id)


def test_a_repeated_event_has_a_span_and_changes_no_message(
    traced: CrankedWorker, spans: Spans, redis: Redis
) -> None:
    answers = [put_one(traced, value, at) for value, at in (("values:a", 1), ("values:a", 1))]
    answers += [put_one(traced, value, at) for value, at in (("values:b", 2), ("values:a", 3))]
    assert answers == [["new"], ["duplicate"], ["new"], ["new"]]
    puts = spans.ended("put sync_profile")
    assert [each.facts["put"] for each in puts] == ["new", "duplicate", "new", "new"]
    links = [each["headers"]["traceparent"] for each in queued(redis)]
    assert links == [puts[0].link, puts[2].link, puts[3].link]


def test_a_broker_that_is_away_fails_the_events_span(
    traced: CrankedWorker, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr("workers.store.Store.run_each", away)
    with pytest.raises(ConnectionError):
        put_one(traced, "values:a")
    (put,) = spans.ended()
    assert put.failed


# Whether spans are wanted


def test_without_a_place_to_send_them_there_are_none_and_no_header(
    cluster: Cluster, cranked: CrankedWorker, redis: Redis
) -> None:
    assert cranked.app.services.tracer is UNTRACED
    put_one(cranked, "values:a")
    cranked.send("merge_and_sync", merge(cluster), "merge", headers=THEIRS)
    (merged,) = cranked.drain("merge")
    assert merged.result["status"] == "done"
    assert len(queued(redis)) == 2
    assert not [each for each in queued(redis) if "traceparent" in each["headers"]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No variable of OpenTelemetry, and no `.env` file."""
    monkeypatch.chdir(tmp_path)
    for name in (*tracing.ENDPOINTS, *tracing.OFF, "OTEL_BSP_MAX_QUEUE_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def chosen() -> tuple[Tracer, list[str]]:
    """Return the tracer that the environment asks for, and the events that tell of it."""
    with capture_logs() as logged:
        tracer = tracing.chosen()
    tracer.close()
    return tracer, [line["event"] for line in logged]


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
            False,
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "TRUE"},
            False,
        ),
    ],
)
def test_the_standard_variables_say_whether_spans_are_made(
    environment: pytest.MonkeyPatch, spans: Spans, variables: Mapping[str, str], wanted: bool
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    tracer, told = chosen()
    assert isinstance(tracer, type(spans.tracer)) is wanted
    assert told == (["tracing.started"] if wanted else [])


def test_they_may_stand_in_the_env_file_too(
    environment: pytest.MonkeyPatch, spans: Spans, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9\n", "utf-8")
    assert chosen()[1] == ["tracing.started"]


def test_without_the_extra_it_is_said_what_to_install(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    environment.setattr("workers.watching.tracing._installed", lambda: False)
    assert chosen() == (UNTRACED, ["tracing.unavailable"])


def test_a_wrong_variable_is_told_and_stops_no_work(
    environment: pytest.MonkeyPatch, spans: Spans
) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    environment.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    assert chosen() == (UNTRACED, ["tracing.failed"])


# Real processes


@pytest.fixture
def collector(spans: Spans) -> Iterator[Collector]:
    from tests.support.spans import collecting

    with collecting() as running:
        yield running


@pytest.fixture
def events(app: WorkersApp) -> Iterator[list[dict[str, Any]]]:
    """Every event of Celery's that Flower could hear."""
    with hearing(app) as heard:
        yield heard


@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_has_sent_all_of_them_by_its_end_and_its_events_show_no_header(
    cluster: Cluster,
    cranked: CrankedWorker,
    collector: Collector,
    events: list[dict[str, Any]],
    pool: str,
) -> None:
    cluster.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    with cluster.worker("-P", pool, "-c", "2") as worker:
        cranked.send("merge_and_sync", merge(cluster), "merge", headers=THEIRS, task_id="m-1")
        cluster.wait_until_quiet()
        wait_until(lambda: str(events).count("task-succeeded") == 2, 20, "both have ended")
    assert TRACE not in str(events)
    assert "tracing.started" in worker.said()
    assert collector.services == {"genesys-workers"}
    assert collector.traces == {bytes.fromhex(TRACE)}
    assert {"merge_and_sync", "sync_profile", MERGE} <= set(collector.names)
    assert len(collector.names) == 2 + len(cluster.sandbox.journal())


def test_a_bridge_has_sent_those_of_its_events_by_its_end(
    redis: Redis, redis_url: str, sandbox: SandboxHandle, tmp_path: Path, collector: Collector
) -> None:
    site = BridgeSite(
        redis_url=redis_url,
        sandbox=sandbox,
        folder=tmp_path,
        bridge={"secret_env": "BRIDGE_TEST_SECRET"},
        variables={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
    )
    with site.running() as bridge:
        url = f"{url_of(bridge)}/events/default"
        told = left("c-1", at=datetime.now(UTC))
        answer = requests.post(url, json=told, headers={SECRET_HEADER: SECRET}, timeout=10)
        assert answer.json()["enqueued"] == 1
        assert bridge.end() == 0
    assert collector.names == ["put redact_interaction"]
    (message,) = queued(redis, "redact")
    (trace,) = collector.traces
    assert message["headers"]["traceparent"].split("-")[1] == trace.hex()


def test_a_collector_that_is_away_holds_up_neither_work_nor_the_end(
    cluster: Cluster, cranked: CrankedWorker, spans: Spans
) -> None:
    cluster.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    with cluster.worker() as worker:
        cranked.send("set_attributes", attributes(cluster), "attributes", task_id="a-1")
        assert cluster.ending("a-1")["result"]["status"] == "done"
    assert worker.process.returncode == 0
    lines = [json.loads(line) for line in worker.said().splitlines() if line.startswith("{")]
    assert [line for line in lines if line.get("logger", "").startswith("opentelemetry")]
