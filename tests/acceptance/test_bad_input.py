"""Bad input of every kind: refused with one line, kept, and harmless to the worker and to others.

A canary stands in every input; at the end it is looked for wherever somebody may look.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tasks.messages import SetAttributes
from tests.support.cluster import Cluster
from tests.support.hearing import hearing
from tests.support.raw_messages import raw
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.letters.dead_letters import DeadLetter
from workers.transport.claims import LARGEST

CANARY = "Canary7f3a"
ID_RULE = "must be 1 to 128 letters, digits or . _ : @ + - and start with a letter or digit"

LONG_PAST = datetime(2020, 1, 1, tzinfo=UTC)

ATTRIBUTES = {"conversation_id": "a-call", "attributes": {"tier": CANARY}}
MERGE = {"source_profile_ids": ["a-2"], "target_profile_id": "a-1"}
CONFIG = {
    "brand_color": "#0B5FFF",
    "font_size": 16,
    "font_family": "Inter",
    "greetings": ["Hello"],
    "availability_rules": [{"dayOfWeek": "monday", "startTime": "09:00", "endTime": "17:00"}],
    "feature_flags": {CANARY: True},
}


def deploy(**changes: Any) -> dict[str, Any]:
    return {"organization_ids": ["org-001"], "config": {**CONFIG, **changes}}


def hours(*spans: tuple[str, str]) -> list[dict[str, str]]:
    return [{"dayOfWeek": "monday", "startTime": start, "endTime": end} for start, end in spans]


def nested(levels: int) -> Any:
    value: Any = CANARY
    for _ in range(levels):
        value = [value]
    return value


#: Task and arguments that a Celery client can send, and how the reason begins.
ARGUMENTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown field": (
        "set_attributes",
        {**ATTRIBUTES, "colour": CANARY},
        "colour: is not a known field",
    ),
    "unknown field named after a person": (
        "set_attributes",
        {**ATTRIBUTES, f"{CANARY} Smith": 1},
        "?: is not a known field",
    ),
    "missing field": ("set_attributes", {"attributes": {"a": CANARY}}, "conversation_id: is req"),
    "wrong type": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": {"tier": [CANARY]}},
        "attributes.tier: Input should be a valid string",
    ),
    "a number for an id": ("set_attributes", {**ATTRIBUTES, "conversation_id": 5}, "conversation"),
    "attributes over 1 KB": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": {"note": CANARY * 200}},
        "attributes: must be at most 1,024 bytes of UTF-8 JSON",
    ),
    "no attributes": ("set_attributes", {**ATTRIBUTES, "attributes": {}}, "attributes: "),
    "not a number": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": {"tier": CANARY, "score": float("nan")}},
        "attributes.score: Input should be a valid string",
    ),
    "a lone surrogate": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": {"tier": f"{CANARY}\ud800"}},
        "message: is no JSON that Redis reads",
    ),
    "a moment without a zone": (
        "set_attributes",
        {**ATTRIBUTES, "occurred_at": "2026-01-01T00:00:00"},
        "occurred_at: ",
    ),
    "a typed value": (
        "set_attributes",
        {**ATTRIBUTES, "conversation_id": {"__type__": "uuid", "__value__": {"hex": "0" * 32}}},
        "conversation_id: Input should be a valid string",
    ),
    "an id of 10 kB": (
        "set_attributes",
        {**ATTRIBUTES, "conversation_id": CANARY * 1_000},
        "conversation_id: String should have at most 128 characters",
    ),
    **{
        f"an id with {bad!r}": (
            "set_attributes",
            {**ATTRIBUTES, "conversation_id": f"{CANARY}{bad}x"},
            f"conversation_id: {ID_RULE}",
        )
        for bad in ("/", "..", "?", "%", "\n", "\0", " ")
    },
    "an unknown tenant": ("set_attributes", {**ATTRIBUTES, "tenant": "nobody"}, "tenant: is not"),
    "another tenant": ("set_attributes", {**ATTRIBUTES, "tenant": "acme"}, "tenant: does not own"),
    "a bad tenant": ("set_attributes", {**ATTRIBUTES, "tenant": f"/{CANARY}"}, "tenant: must be"),
    "a bad operation id": (
        "set_attributes",
        {**ATTRIBUTES, "operation_id": f"/{CANARY}"},
        f"operation_id: {ID_RULE}",
    ),
    "nested 50 deep": ("set_attributes", {**ATTRIBUTES, "attributes": nested(50)}, "attributes: "),
    "nested 900 deep": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": nested(900)},
        "message: must not be nested more than 64 levels deep",
    ),
    "300 kB": (
        "set_attributes",
        {**ATTRIBUTES, "attributes": {"note": CANARY * 30_000}},
        "message: must be at most 262,144 bytes",
    ),
    "no source": (
        "merge_profiles",
        {**MERGE, "source_profile_ids": [], "correlation_id": CANARY + "/"},
        "correlation_id: ",
    ),
    "0 sources": ("merge_profiles", {**MERGE, "source_profile_ids": []}, "source_profile_ids: "),
    "11 sources": (
        "merge_profiles",
        {**MERGE, "source_profile_ids": [f"s-{n}" for n in range(11)]},
        "source_profile_ids: ",
    ),
    "a source twice": (
        "merge_profiles",
        {**MERGE, "source_profile_ids": ["a-2", "a-2"]},
        "source_profile_ids: must not name the same id twice",
    ),
    "a self merge": (
        "merge_profiles",
        {**MERGE, "source_profile_ids": ["a-1"]},
        "target_profile_id: must not be a source too",
    ),
    "an unknown policy": ("merge_profiles", {**MERGE, "merge_policy": CANARY}, "merge_policy: "),
    "no organisation": ("deploy_config", {**deploy(), "organization_ids": []}, "organization_ids"),
    "no place": ("deploy_config", {"config": CONFIG}, "organization_ids: is required, or"),
    "a colour of five digits": ("deploy_config", deploy(brand_color="#12345"), "config.brand_col"),
    "too little contrast": ("deploy_config", deploy(brand_color="#EEEEEE"), "config: brand_color"),
    "inverted hours": (
        "deploy_config",
        deploy(availability_rules=hours(("17:00", "09:00"))),
        "config.availability_rules.0: start_time must be before end_time",
    ),
    "overlapping hours": (
        "deploy_config",
        deploy(availability_rules=hours(("09:00", "12:00"), ("11:00", "17:00"))),
        "config.availability_rules: hours of the same day must not overlap",
    ),
    "an unknown day": (
        "deploy_config",
        deploy(availability_rules=[{**hours(("09:00", "10:00"))[0], "dayOfWeek": CANARY}]),
        "config.availability_rules.0.dayOfWeek: must be a weekday",
    ),
    "no greeting": ("deploy_config", deploy(greetings=[]), "config.greetings: "),
    "4 greetings": ("deploy_config", deploy(greetings=[CANARY] * 4), "config.greetings: "),
    "151 characters": (
        "deploy_config",
        deploy(greetings=[CANARY.ljust(151, "x")]),
        "config.greetings.0: ",
    ),
    "a font of 13 px": ("deploy_config", deploy(font_size=13), "config.font_size: "),
    "an unknown entity": (
        "redact_interaction",
        {"interaction_id": "a-chat", "entities": [CANARY]},
        "entities.0: ",
    ),
    "a page of 101": ("redact_completed", {"page_size": 101}, "page_size: "),
    "an inverted window": (
        "redact_completed",
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        "since: must be before until",
    ),
}

BODY = [[], {"conversation_id": f"/{CANARY}", "attributes": {"tier": CANARY}}, {}]
NAMED = BODY[1]

#: Bytes that no Celery client would write, and how the reason begins.
BELOW: dict[str, tuple[bytes, str]] = {
    "not JSON": (f"{CANARY} is no JSON".encode(), "message: is no JSON"),
    "not UTF-8": (CANARY.encode() + b"\xff\xfe", "message: is no JSON"),
    "nothing": (b"", "message: is no JSON"),
    "truncated": (raw(BODY)[:200], "message: is no JSON"),
    "nested 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, "message: is no JSON"),
    "1 MB and a byte": (CANARY.ljust(LARGEST + 1).encode(), "message: must not be larger than"),
    "5 MB": (
        raw([[], {**ATTRIBUTES, "note": CANARY * 500_000}, {}]),
        "message: must not be larger",
    ),
    "an array": (json.dumps([CANARY]).encode(), "Input should be "),
    "a number": (b"4711", "Input should be "),
    "no body": (raw(BODY, without=["body"]), "body: is required"),
    "no headers": (raw(BODY, without=["headers"]), "headers: is required"),
    "headers of null": (raw(BODY, changes={"headers": None}), "headers"),
    "no properties": (raw(BODY, without=["properties"]), "properties: is required"),
    "no content type": (raw(BODY, without=["content-type"]), "content-type: is required"),
    "a delivery tag of another type": (
        raw(BODY, properties={"delivery_tag": [CANARY]}),
        "properties.delivery_tag: Input should be a valid string",
    ),
    "an unknown body encoding": (
        raw(BODY, properties={"body_encoding": CANARY}),
        "properties.body_encoding: Input should be 'base64'",
    ),
    "no base64": (raw(BODY, changes={"body": f"{CANARY}!!"}), "body: is no base64"),
    "base64 of garbage": (raw(CANARY.encode()), "message: cannot be read as JSON"),
    "base64 of no UTF-8": (raw(CANARY.encode() + b"\xff"), "message: cannot be read as JSON"),
    "nested 1,001 deep": (
        raw(b"[[],{%s:" % json.dumps(CANARY).encode() + b"[" * 1_001 + b"]" * 1_001 + b"},{}]"),
        "message: ",
    ),
    "a number of 5,000 digits": (
        raw(b'[["' + CANARY.encode() + b'"],{"a":' + b"9" * 5_000 + b"},{}]"),
        "message: cannot be read as JSON",
    ),
    "an unknown content type": (
        raw(BODY, changes={"content-type": f"application/{CANARY}"}),
        "content-type: must be application/json",
    ),
    "pickle": (
        raw(BODY, changes={"content-type": "application/x-python-serialize"}),
        "content-type: must be application/json",
    ),
    "an unknown compression": (
        raw(BODY, headers={"compression": CANARY}),
        "message: cannot be read as JSON",
    ),
    "an unknown task": (raw(BODY, headers={"task": CANARY + "@x"}), "task: is not a task of this"),
    "a task of another type": (raw(BODY, headers={"task": [CANARY]}), "headers.task: "),
    "no task": (raw(BODY, headers={"task": None}), "headers.task: "),
    "no id": (raw(BODY, headers={"id": None}), "headers.id: Input should be a valid string"),
    "an id of another type": (raw(BODY, headers={"id": [CANARY]}), "headers.id: "),
    "an id with a slash": (raw(BODY, headers={"id": f"{CANARY}/x"}), f"headers.id: {ID_RULE}"),
    "a message id of 10 kB": (raw(BODY, headers={"id": CANARY * 1_000}), "headers.id: String sh"),
    "retries of another type": (raw(BODY, headers={"retries": CANARY}), "headers.retries: "),
    "no moment": (raw(BODY, headers={"eta": CANARY}), "headers.eta: "),
    "no expiry": (raw(BODY, headers={"expires": CANARY}), "headers.expires: "),
    "time limits of another type": (raw(BODY, headers={"timelimit": CANARY}), "headers.timelimit"),
    "an object for a body": (raw({CANARY: 1}), "body: must be [args, kwargs, embed]"),
    "a text for a body": (raw(CANARY), "body: must be [args, kwargs, embed]"),
    "a body of two": (raw([[CANARY], {}]), "body: must be [args, kwargs, embed]"),
    "a body of four": (raw([[CANARY], {}, {}, {}]), "body: must be [args, kwargs, embed]"),
    "arguments that are an object": (raw([{CANARY: 1}, {}, {}]), "body.args: "),
    "keywords that are a list": (raw([[], [CANARY], {}]), "body.kwargs: "),
    "an embed that is a list": (raw([[], NAMED, [CANARY]]), "body.embed: "),
    "a chain that is a text": (raw([[], NAMED, {"chain": CANARY}]), "body.embed.chain: "),
    "a chain of texts": (raw([[], NAMED, {"chain": [CANARY]}]), "body.embed.chain.0: "),
    "positional arguments": (raw([[CANARY], {}, {}]), "arguments: must be keyword arguments"),
    "protocol 1": (
        raw(
            {"task": "set_attributes", "id": str(uuid4()), "args": [], "kwargs": NAMED},
            changes={"headers": {}},
        ),
        "headers.task: is required",
    ),
    "a hybrid of both protocols": (
        raw({"args": [CANARY], "kwargs": {}, "id": str(uuid4())}),
        "body: must be [args, kwargs, embed]",
    ),
    "another name to be shown": (raw(BODY, headers={"shadow": CANARY}), "conversation_id: must be"),
    "a queue of its own choice": (
        raw(BODY, properties={"delivery_info": {"exchange": "", "routing_key": CANARY}}),
        "conversation_id: must be",
    ),
    "no delivery info": (raw(BODY, properties={"delivery_info": None}), "conversation_id: must be"),
    "texts of the producer's own": (
        raw(BODY, headers={"argsrepr": CANARY, "kwargsrepr": CANARY, "origin": CANARY}),
        "conversation_id: must be",
    ),
}


@pytest.fixture(scope="module")
def events(app: WorkersApp, worker: WorkerProcess) -> Iterator[list[dict[str, Any]]]:
    """Every event of Celery's that anybody could listen to."""
    with hearing(app) as heard:
        yield heard


@pytest.fixture(scope="module", autouse=True)
def a_call(cluster: Cluster) -> None:
    cluster.sandbox.put("conversations", "a-call", {"participants": [{}]})


def new_letter(app: WorkersApp, known: int) -> DeadLetter:
    """Wait for the letter after the first `known` ones; there is no other."""
    letters = app.services.dead_letters
    wait_until(lambda: letters.count() > known, 30, "the message is kept")
    found = list(letters.letters())
    assert len(found) == known + 1
    return max(found, key=lambda letter: letter.at)


def is_served(cluster: Cluster, app: WorkersApp, worker: WorkerProcess) -> None:
    """Send a good message and wait for its result, from the worker that is still there."""
    good = SetAttributes(conversation_id="a-call", attributes={"step": str(uuid4())})
    assert cluster.ending(app.services.producer.publish(good))["status"] == "SUCCESS"
    assert worker.process.poll() is None


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_break_a_rule_are_refused_and_kept(
    cluster: Cluster,
    app: WorkersApp,
    worker: WorkerProcess,
    events: list[dict[str, Any]],
    name: str,
) -> None:
    task, arguments, reason = ARGUMENTS[name]
    known, asked = app.services.dead_letters.count(), len(cluster.sandbox.journal())
    kinds = {"merge_profiles": "merge", "deploy_config": "deploy", "redact_interaction": "redact"}
    queue = kinds.get(task, "sweep" if task == "redact_completed" else "attributes")
    app.services.producer.app.send_task(task, kwargs=arguments, queue=queue)
    letter = new_letter(app, known)
    assert (letter.status, letter.queue, letter.task) == ("rejected", queue, task)
    assert letter.reason.startswith(reason)
    assert "\n" not in letter.reason
    assert len(cluster.sandbox.journal()) == asked
    is_served(cluster, app, worker)


@pytest.mark.parametrize("name", BELOW)
def test_bytes_that_are_no_message_are_refused_and_kept(
    cluster: Cluster,
    app: WorkersApp,
    worker: WorkerProcess,
    events: list[dict[str, Any]],
    name: str,
) -> None:
    content, reason = BELOW[name]
    known, asked = app.services.dead_letters.count(), len(cluster.sandbox.journal())
    cluster.redis.lpush("attributes", content)
    letter = new_letter(app, known)
    assert (letter.status, letter.queue, letter.tenant) == ("rejected", "attributes", "default")
    assert letter.reason.startswith(reason)
    assert "\n" not in letter.reason
    kept: Any = cluster.redis.hget("gw:dead-letters:payloads", letter.id)
    assert kept.removeprefix(b"plain:") == content or CANARY.encode() in kept
    assert len(cluster.sandbox.journal()) == asked
    is_served(cluster, app, worker)
    wait_until(lambda: not cluster.redis.exists("gw:leases"), 30, "nothing is held")


@pytest.mark.parametrize(
    ("revoked", "options", "reason"),
    [
        (False, {"expires": LONG_PAST}, "expires: was over before it could run"),
        (True, {"countdown": 0.5}, "revoked"),
    ],
    ids=["expired", "revoked"],
)
def test_a_message_that_must_not_run_any_more_is_kept(
    app: WorkersApp, worker: WorkerProcess, revoked: bool, options: Any, reason: str
) -> None:
    known, message_id = app.services.dead_letters.count(), str(uuid4())
    if revoked:
        assert app.control.revoke(message_id, reply=True, timeout=30, limit=1), "it is known"
    app.services.producer.app.send_task(
        "set_attributes", kwargs=ATTRIBUTES, queue="attributes", task_id=message_id, **options
    )
    letter = new_letter(app, known)
    assert (letter.id, letter.status) == (f"attributes:{message_id}", "failed")
    assert letter.reason == reason
    assert app.services.dead_letters.payload(letter.id) == ATTRIBUTES


def test_what_is_under_way_shows_no_values(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, events: list[dict[str, Any]]
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=2, times=None)
    client = app.services.producer.app
    client.send_task("set_attributes", kwargs=ATTRIBUTES, queue="attributes", countdown=60)
    for number in range(8):
        call = f"a-call-{number}"
        cluster.sandbox.put("conversations", call, {"participants": [{}]})
        arguments = {**ATTRIBUTES, "conversation_id": call}
        client.send_task("set_attributes", kwargs=arguments, queue="attributes", shadow=CANARY)
    wait_until(lambda: cluster.redis.zcard("gw:leases") == 4, 30, "every slot is taken")
    inspect, shown = app.control.inspect(timeout=10, limit=1), list[Any]()

    def are_shown() -> bool:
        shown.append(inspect.active())
        return "attributes, conversation_id" in str(shown[-1])

    wait_until(are_shown, 30, "what is under way is shown")
    shown += [inspect.reserved(), inspect.scheduled()]
    cluster.sandbox.clear_faults()
    assert None not in shown[-2:]
    assert CANARY not in str(shown)
    wait_until(lambda: not cluster.redis.exists("attributes", "gw:leases"), 30, "these have ended")
    assert cluster.redis.zcard("gw:delayed:attributes") == 1


def test_the_canary_is_nowhere_that_somebody_looks(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, events: list[dict[str, Any]]
) -> None:
    letters = list(app.services.dead_letters.letters())
    assert len(letters) >= len(ARGUMENTS) + len(BELOW)
    listed = subprocess.run(
        [sys.executable, "-m", "workers.cli", "dead-letters", "list"],
        env=cluster.variables(),
        cwd=cluster.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    results = [cluster.redis.get(key) for key in cluster.redis.scan_iter("celery-task-meta-*")]
    audited = list(app.services.audit.records("default"))
    assert {"task-received", "task-failed", "task-succeeded"} <= {each["type"] for each in events}
    assert '"status": "rejected"' in listed.stdout
    assert results
    assert audited
    looked_at = {
        "log": cluster.logs(),
        "letters": str(letters),
        "list": listed.stdout + listed.stderr,
        "results": str(results),
        "audit": str(audited),
        "events": str(events),
    }
    assert [where for where, text in looked_at.items() if CANARY in text] == []
    encoded = base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-1]
    assert [where for where, text in looked_at.items() if encoded in text] == []
