"""Flower beside a real worker: who may look, what it shows of this delivery, what it may do."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from celery import Celery

from tests.support import program
from tests.support.cluster import Cluster, wait_until
from tests.support.flower import RunningFlower, flower
from tests.support.module_cluster import app, cluster, folder, redis, sandbox, worker
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.limits.overrides import Overrides
from workers.limits.priority import lists
from workers.transport.claims import delayed, message_key
from workers.watching.status import look

__all__ = ["app", "cluster", "folder", "redis", "sandbox", "worker"]

PATCH = "/api/v2/conversations/voice/participants/{participantId}"
CANARY = "canary-7f3a"


@pytest.fixture(scope="module")
def shown(cluster: Cluster, folder: Path, worker: WorkerProcess) -> Iterator[RunningFlower]:
    """A Flower that knows the Redis and nothing else, and may only look."""
    with flower(cluster.redis_url, folder, TENANTS_FILE="no/such/file") as running:
        running.hears()
        yield running


@pytest.fixture(scope="module")
def controlling(cluster: Cluster, folder: Path, worker: WorkerProcess) -> Iterator[RunningFlower]:
    """A Flower that may control, and knows the tenants by name, though none of their secrets."""
    path = folder / "named.toml"
    path.write_text('[tenants.default]\n[tenants.acme]\nclient_secret_env = "NOT_SET"\n', "utf-8")
    with flower(cluster.redis_url, folder, "--allow-control", TENANTS_FILE=str(path)) as running:
        running.hears()
        yield running


def send(app: WorkersApp, call: str, tenant: str = "default", **options: Any) -> str:
    """Send a message about a conversation, and return its id."""
    queue = "attributes" if tenant == "default" else f"attributes.{tenant}"
    asked = {"tenant": tenant, "conversation_id": call, "attributes": {"tier": CANARY}}
    client = app.services.producer.app
    return str(client.send_task("set_attributes", kwargs=asked, queue=queue, **options).id)


def a_call(cluster: Cluster, tenant: str = "default") -> str:
    call = f"call-{uuid4().hex[:8]}"
    cluster.sandbox.put("conversations", call, {"participants": [{}]}, tenant)
    return call


@contextmanager
def paused(app: WorkersApp, tenant: str) -> Iterator[None]:
    overrides = Overrides(store=app.services.store)
    overrides.pause(tenant, "test")
    try:
        yield
    finally:
        overrides.resume(tenant)


def let_it_run_again(cluster: Cluster, sent: str) -> None:
    """Let a message that was put back be due, and the pause that a 429 has brought be over."""
    redis: Any = cluster.redis

    def is_due() -> bool:
        tags = [tag.decode() for tag in redis.zrange(delayed("attributes"), 0, -1)]
        ours = [tag for tag in tags if redis.hget(message_key(tag), "id") == sent.encode()]
        return any(redis.zadd(delayed("attributes"), {tag: 0}, xx=True, ch=True) for tag in ours)

    # Its retry is told a moment before it is put back.
    wait_until(is_due, 20, "it was put back")
    redis.delete("gw:pause:default:genesys")


@pytest.mark.parametrize(
    "path", ["/", "/tasks", "/broker", "/api/tasks", "/api/workers", "/api/queues/length"]
)
@pytest.mark.parametrize("login", [None, ("admin", "wrong"), ("other", "flower-secret")])
def test_nobody_looks_without_the_password(
    shown: RunningFlower, path: str, login: tuple[str, str] | None
) -> None:
    answer = requests.get(shown.url + path, auth=login, timeout=10)
    assert answer.status_code == 401
    assert answer.headers.get("WWW-Authenticate", "Basic").startswith("Basic")


def test_its_health_is_known_to_everybody(shown: RunningFlower) -> None:
    answer = requests.get(f"{shown.url}/healthcheck", timeout=10)
    assert (answer.status_code, answer.text) == (200, "OK")


def test_the_password_is_in_no_log_line_and_no_argument(shown: RunningFlower) -> None:
    running = [
        (entry / "cmdline").read_bytes()
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (entry / "cmdline").exists()
    ]
    assert any(b"workers.cli\0flower" in each for each in running)
    assert not [each for each in running if shown.password.encode() in each]
    assert shown.password not in shown.log.read_text("utf-8")


def test_queues_hold_what_status_says_of_them(
    cluster: Cluster, app: WorkersApp, controlling: RunningFlower
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=3, times=None, client="sandbox-client")
    with paused(app, "acme"):
        for priority in (0, 3, 6, 9):
            send(app, a_call(cluster, "acme"), "acme", priority=priority)
        for _ in range(2):
            send(app, a_call(cluster))
        send(app, a_call(cluster), countdown=3_600)
        assert [cluster.redis.llen(name) for name in lists("attributes.acme")] == [1] * 4
        wait_until(lambda: cluster.redis.exists("gw:delayed:attributes"), 30, "one is set aside")
        wait_until(lambda: cluster.redis.zcard("gw:leases") == 2, 30, "two are held")
        rows = controlling.get("/api/queues/length")["active_queues"]
        status = look(app.services)
        page = controlling.page("/broker")
    cluster.sandbox.clear_faults()
    said = {
        each.name: (each.waiting, each.leased, each.delayed, len(each.readers))
        for each in status.queues
    }
    kinds = ("messages_ready", "messages_unacknowledged", "messages_delayed", "consumers")
    assert {row["name"]: tuple(row[kind] for kind in kinds) for row in rows} == said
    assert said["attributes.acme"] == (4, 0, 0, 1)
    assert said["attributes"] == (0, 2, 1, 1)
    assert {row["name"]: row["messages"] for row in rows}["attributes"] == 3
    assert cells(page, "attributes") == ["attributes", "3", "2", "0", "1", "1"]
    assert '<th class="broker-secondary-column">Delayed</th>' in page
    wait_until(lambda: not cluster.redis.exists("gw:leases"), 20, "they have ended")


def cells(page: str, queue: str) -> list[str]:
    """Return what the row of a queue says: its name and five numbers."""
    row = page.partition(f'<tr id="{queue}">')[2].partition("</tr>")[0]
    return [part.partition(">")[2].strip() for part in row.split("</td>")[:-1]]


def test_without_the_tenants_file_it_shows_what_workers_read(
    shown: RunningFlower,
) -> None:
    shown.get("/api/workers?refresh=1")
    names = [row["name"] for row in shown.get("/api/queues/length")["active_queues"]]
    assert names[0] == "attributes"
    assert {"merge", "celery", "merge.acme", "sweep.acme"} <= set(names)
    assert len(names) == len(set(names))
    assert "flower.tenants_unknown" in shown.log.read_text("utf-8")


def test_a_put_back_is_a_retry_that_says_why(
    cluster: Cluster, app: WorkersApp, shown: RunningFlower
) -> None:
    cluster.sandbox.fault(
        kind="status", status=429, method="PATCH", headers={"Retry-After": "600"}, route=PATCH
    )
    sent = send(app, a_call(cluster))
    told = shown.await_state(sent, "RETRY")
    let_it_run_again(cluster, sent)
    assert told["exception"].startswith("genesys answered 429 fault.injected to PATCH ")
    assert told["kwargs"] == "{attributes, conversation_id, tenant}"
    assert told["retried"]
    assert shown.await_state(sent, "SUCCESS")["result"].startswith("{'operation_id'")


def test_what_it_does_not_know_of_is_told_by_status(
    app: WorkersApp, cluster: Cluster, worker: WorkerProcess, shown: RunningFlower
) -> None:
    """The scheduled list stays empty: what is delayed waits in Redis, and in no worker."""
    send(app, a_call(cluster), countdown=3_600)
    wait_until(lambda: cluster.redis.exists("gw:delayed:attributes"), 30, "it is set aside")
    (name,) = shown.get("/api/workers?refresh=1")
    told = shown.get(f"/api/workers?refresh=1&workername={name}")[name]
    assert (told["scheduled"], told["active"], told["reserved"]) == ([], [], [])
    assert CANARY not in json.dumps(told)


def test_it_only_looks_unless_it_may_control(
    app: WorkersApp, cluster: Cluster, worker: WorkerProcess, shown: RunningFlower
) -> None:
    (name,) = shown.get("/api/workers?refresh=1")
    sent = send(app, a_call(cluster), countdown=3_600)
    for path in (
        f"/api/task/revoke/{sent}",
        "/api/task/send-task/set_attributes",
        f"/api/worker/shutdown/{name}",
    ):
        answer = shown.ask("POST", path)
        assert (answer.status_code, answer.text) == (403, "Read only mode is enabled")
    assert worker.process.poll() is None
    assert not cluster.redis.exists("gw:revoked")


def test_a_revoked_message_ends_as_a_dead_letter(
    cluster: Cluster, app: WorkersApp, controlling: RunningFlower
) -> None:
    limited = {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}
    cluster.sandbox.fault(route=PATCH, method="PATCH", **limited)
    sent = send(app, a_call(cluster))
    controlling.await_state(sent, "RETRY")
    assert controlling.ask("POST", f"/api/task/revoke/{sent}").status_code == 200
    wait_until(lambda: cluster.redis.zscore("gw:revoked", sent), 20, "workers know of it")
    let_it_run_again(cluster, sent)
    assert controlling.await_state(sent, "REVOKED")["revoked"]
    letter = next(app.services.dead_letters.find([f"attributes:{sent}"]))
    assert (letter.status, letter.reason) == ("failed", "revoked")


def test_what_runs_is_not_terminated_and_ends_by_itself(
    cluster: Cluster, app: WorkersApp, controlling: RunningFlower
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=1.5, method="PATCH", route=PATCH)
    sent = send(app, a_call(cluster))
    controlling.await_state(sent, "STARTED")
    assert controlling.ask("POST", f"/api/task/revoke/{sent}?terminate=true").status_code == 200
    assert cluster.ending(sent)["result"]["status"] == "done"
    assert "NotImplementedError" not in cluster.logs()


def test_a_message_that_it_sends_is_carried_out(
    cluster: Cluster, controlling: RunningFlower
) -> None:
    arguments = {"conversation_id": a_call(cluster), "attributes": {"tier": CANARY}}
    with requests.post(
        f"{controlling.url}/api/task/send-task/set_attributes",
        json={"kwargs": arguments},
        auth=(controlling.user, controlling.password),
        timeout=10,
    ) as answer:
        sent = answer.json()["task-id"]
    # Without a queue it is sent to the default one, and routed on by workers.
    assert cluster.ending(sent)["result"]["status"] == "done"
    assert CANARY not in json.dumps(controlling.await_state(sent, "SUCCESS"))
    assert CANARY not in controlling.log.read_text("utf-8")


def test_arguments_that_a_producer_tells_of_itself_are_not_shown(
    cluster: Cluster, app: WorkersApp, shown: RunningFlower
) -> None:
    stock = Celery(broker=cluster.redis_url, set_as_current=False)
    stock.conf.task_send_sent_event = True
    asked = {"tenant": "acme", "conversation_id": a_call(cluster, "acme"), "note": CANARY}
    with paused(app, "acme"), stock.connection_for_write() as connection:
        sent = stock.send_task(
            "set_attributes",
            args=[CANARY],
            kwargs=asked,
            queue="attributes.acme",
            connection=connection,
        ).id
        told = shown.await_state(sent, "PENDING")
    stock.close()
    assert (told["name"], told["routing_key"]) == ("set_attributes", "attributes.acme")
    assert told["sent"]
    assert CANARY not in json.dumps(told)
    assert CANARY not in shown.page(f"/task/{sent}")


def test_what_it_has_seen_outlives_it(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, folder: Path
) -> None:
    kept = folder / "seen"
    options = ("--persistent", str(kept))
    with flower(cluster.redis_url, folder, *options) as running:
        running.hears()
        sent = send(app, a_call(cluster))
        running.await_state(sent, "SUCCESS")
    with flower(cluster.redis_url, folder, *options, FLOWER_URL_PREFIX="/seen") as running:
        assert running.get("/seen/api/tasks")[sent]["state"] == "SUCCESS"
        assert sent in running.page(f"/seen/task/{sent}")
        # A variable of Flower's own is heeded, by our pages too.
        assert "/seen/static/" in running.page("/seen/broker")
        assert running.get("/seen/api/queues/length")["active_queues"]
    files = list(folder.glob("seen*"))
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]


def test_a_port_that_is_taken_is_one_line(
    cluster: Cluster, folder: Path, shown: RunningFlower
) -> None:
    port = shown.url.rpartition(":")[2]
    taken = program.start(["flower", "--port", port], {}, folder / "taken.log")
    assert taken.process.wait(30) == 2
    (line,) = [each for each in taken.said().splitlines() if each.startswith("genesys-workers")]
    assert line.endswith(f"flower: cannot listen on 127.0.0.1:{port}: Address already in use")
