"""What workers count of real operations, over threads and processes, and what is shown of it."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tasks.messages import SetAttributes
from tests.support import exposition, program
from tests.support.cluster import Cluster, wait_until
from tests.support.cranked import CrankedWorker
from tests.support.exposition import Exposition
from tests.support.restartable_redis import RestartableRedis, server
from tests.support.worker_process import WorkerProcess
from workers.cli.main import run
from workers.transport.claims import Claimed

__all__ = ("server",)

W = "genesys_workers"
PARTICIPANTS = "/api/v2/conversations/voice/participants"
ANY_PORT = {"METRICS_ADDRESS": "127.0.0.1:0"}


def attributes(cluster: Cluster, **values: str) -> dict[str, Any]:
    conversation = cluster.sandbox.ids("conversations", state="active")[0]
    return {"conversation_id": conversation, "attributes": values or {"tier": "gold"}}


def counted(cranked: CrankedWorker) -> Exposition:
    return exposition.of(cranked.app.services.counts.registry)


def test_an_operation_is_counted_with_its_calls_and_how_long_it_took(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    now = time.time()
    message = {**attributes(cluster), "occurred_at": "2026-05-02T10:00:00Z"}
    cranked.send("set_attributes", message, "attributes", headers={"enqueued_at": now - 20})
    cranked.drain("attributes")
    shown = counted(cranked)
    about = {"tenant": "default", "task": "set_attributes"}
    assert shown.value(f"{W}_operations_total", status="done", **about) == 1
    claim, enqueue, event = (
        shown.value(f"{W}_latency_seconds_sum", since=since, **about) or 0.0
        for since in ("claim", "enqueue", "event")
    )
    assert claim < 20 <= enqueue < 40 + time.time() - now < event
    call = {"tenant": "default", "system": "genesys", "status": "2xx"}
    assert shown.value(f"{W}_api_calls_total", method="GET", route=PARTICIPANTS, **call) == 1
    assert shown.total(f"{W}_api_calls_total", method="PATCH", **call) == 1
    assert shown.value(f"{W}_api_calls_total", method="POST", route="/oauth/token", **call) == 1
    assert shown.total(f"{W}_api_call_seconds_count") == shown.total(f"{W}_api_calls_total")


def test_messages_of_our_own_say_when_they_were_put(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    services = cranked.app.services
    services.outbox.put(SetAttributes(**attributes(cluster, a="1")))
    services.producer.publish(SetAttributes(**attributes(cluster, b="2")))
    cranked.drain("attributes")
    about = {"tenant": "default", "task": "set_attributes", "since": "enqueue"}
    assert counted(cranked).value(f"{W}_latency_seconds_count", **about) == 2


def test_a_message_that_is_delivered_again_is_counted_as_repeated_and_not_as_ended(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    for _ in range(2):
        cranked.send("set_attributes", attributes(cluster), "attributes", task_id="a-1")
    cranked.drain("attributes")
    about = {"tenant": "default", "task": "set_attributes"}
    assert counted(cranked).total(f"{W}_operations_total") == 1
    assert counted(cranked).value(f"{W}_operations_repeated_total", **about) == 1


def test_what_goes_back_is_counted_by_why(cluster: Cluster, cranked: CrankedWorker) -> None:
    limited = {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}
    cluster.sandbox.fault(route=PARTICIPANTS, **limited)
    cluster.sandbox.fault(method="PATCH", kind="status", status=503)
    cranked.send("set_attributes", attributes(cluster), "attributes")
    cranked.drain("attributes")
    shown = counted(cranked)
    about = {"tenant": "default", "task": "set_attributes"}
    assert shown.value(f"{W}_put_backs_total", reason="rate_limited", **about) == 1
    assert shown.value(f"{W}_put_backs_total", reason="outcome_unknown", **about) == 1
    assert shown.value(f"{W}_pauses_total", tenant="default", system="genesys") == 1
    calls = {"tenant": "default", "system": "genesys"}
    assert shown.total(f"{W}_api_calls_total", status="429", **calls) == 1
    assert shown.total(f"{W}_api_calls_total", status="5xx", **calls) == 1
    assert shown.total(f"{W}_operations_total") == 1
    assert shown.total(f"{W}_faults_total") == 0


@pytest.mark.parametrize("kind", ["pause", "budget", "lock"])
def test_what_stops_after_it_was_claimed_is_counted_by_what_holds_it_back(
    cluster: Cluster, cranked: CrankedWorker, kind: str
) -> None:
    services = cranked.app.services
    message = attributes(cluster)
    cranked.send("set_attributes", message, "attributes")
    question = services.question(["attributes"])
    assert question is not None
    claimed = services.claims.claim(question)
    assert isinstance(claimed, Claimed)
    with ExitStack() as held:
        if kind == "pause":
            services.runner.connections["default"].pause("genesys", 60, by_server=True)
        elif kind == "budget":
            cluster.redis.hset("gw:budget:default:genesys", "spent", 10**9)
            cluster.redis.hdel(f"gw:message:{claimed.tag}", "reserved:default:genesys")
        else:
            resource = f"conversation:{message['conversation_id']}"
            held.enter_context(services.locks.held("default", [resource]))
        turn = cranked._deliver(claimed)
    assert turn.state == "RETRY"
    about = {"tenant": "default", "task": "set_attributes", "reason": kind}
    assert counted(cranked).value(f"{W}_put_backs_total", **about) == 1


def test_a_fault_of_ours_is_counted_and_comes_again(
    cluster: Cluster, cranked: CrankedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("jane@example.com")

    monkeypatch.setattr("tasks.attributes.choose_participant", broken)
    cranked.send("set_attributes", attributes(cluster), "attributes")
    cranked.drain("attributes")
    shown = counted(cranked)
    about = {"tenant": "default", "task": "set_attributes"}
    assert shown.value(f"{W}_faults_total", kind="unexpected") == 3
    assert shown.value(f"{W}_put_backs_total", reason="fault", **about) == 2
    assert shown.value(f"{W}_operations_total", status="failed", **about) == 1
    parked = {"tenant": "default", "queue": "attributes"}
    assert shown.value(f"{W}_dead_letters_total", kind="failed", **parked) == 1


def test_what_is_refused_is_counted_as_ended_and_as_a_dead_letter(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cranked.send("set_attributes", {**attributes(cluster), "colour": "red"}, "attributes")
    cranked.send("set_attributes", {**attributes(cluster), "conversation_id": "no"}, "attributes")
    cranked.drain("attributes")
    shown = counted(cranked)
    about = {"tenant": "default", "task": "set_attributes", "status": "rejected"}
    assert shown.value(f"{W}_operations_total", **about) == 2
    parked = {"tenant": "default", "queue": "attributes", "kind": "rejected"}
    assert shown.value(f"{W}_dead_letters_total", **parked) == 2
    assert f"{W}_latency_seconds_sum" not in shown.samples


def test_findings_are_counted_by_kind_and_never_with_what_was_found(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    chat = cluster.sandbox.ids("interactions", state="completed")[0]
    cranked.send("redact_interaction", {"interaction_id": chat}, "redact")
    (turn,) = cranked.drain("redact")
    found = turn.result["detail"]["findings"]
    assert found
    shown = counted(cranked)
    for entity, count in found.items():
        assert shown.value(f"{W}_findings_total", tenant="default", entity=entity) == count
    assert chat not in shown.text


def test_no_label_holds_an_id_or_what_a_message_says(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    ids = {"operation_id": "op-secret", "correlation_id": "corr-secret"}
    cranked.send("set_attributes", {**attributes(cluster, vip="Jane"), **ids}, "attributes")
    cranked.send("set_attributes", {"conversation_id": "Jane Doe", "x": 1}, "attributes")
    cranked.drain("attributes")
    shown = counted(cranked)
    assert shown.total(f"{W}_operations_total") == 2
    assert set(shown.labels()) == {
        *("tenant", "task", "status", "since", "le", "system", "method", "route"),
        *("queue", "kind"),
    }
    told = " ".join(value for values in shown.labels().values() for value in values)
    conversation = attributes(cluster)["conversation_id"]
    assert not re.search(rf"secret|Jane|vip|{conversation}", told)


@pytest.fixture
def shown_workers(cluster: Cluster) -> Cluster:
    """A cluster whose workers show their metrics, on any port."""
    cluster.environment.update(ANY_PORT, LOG_FORMAT="json")
    return cluster


def address_of(worker: WorkerProcess) -> str:
    found = re.search(r'"address": "([^"]+)", "event": "metrics.shown"', worker.said())
    assert found, worker.said()
    return found[1]


def send(cluster: Cluster, count: int, value: str = "", **options: Any) -> None:
    """Send messages of different conversations, so that none waits for another."""
    app = cluster.app()
    ids = cluster.sandbox.ids("conversations", state="active")
    for number in range(count):
        app.services.producer.app.send_task(
            "set_attributes",
            kwargs={
                "conversation_id": ids[number % len(ids)],
                "attributes": {f"n{number}": value},
            },
            queue="attributes",
            **options,
        )
    app.services.close()


def test_threads_are_counted_together_and_strange_messages_too(shown_workers: Cluster) -> None:
    with shown_workers.worker() as worker:
        send(shown_workers, 20)
        shown_workers.redis.lpush("attributes", b"no message")
        send(shown_workers, 1, expires=-1)
        shown_workers.wait_until_quiet()
        shown = exposition.scraped(address_of(worker))
    about = {"tenant": "default", "task": "set_attributes"}
    assert shown.value(f"{W}_operations_total", status="done", **about) == 20
    parked = {"tenant": "default", "queue": "attributes"}
    assert shown.value(f"{W}_dead_letters_total", kind="malformed", **parked) == 1
    assert shown.value(f"{W}_dead_letters_total", kind="expired", **parked) == 1
    assert shown.value(f"{W}_redis_up") == 1
    assert shown.total("process_resident_memory_bytes") > 0


def children(worker: WorkerProcess) -> list[int]:
    """Return the process ids of the worker's pool."""
    tasks = Path(f"/proc/{worker.process.pid}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def test_processes_are_added_up_and_what_a_dead_one_has_counted_stays(
    shown_workers: Cluster, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    shown_workers.environment["TMPDIR"] = str(temporary)
    about = {"tenant": "default", "task": "set_attributes", "status": "done"}
    with shown_workers.worker("-P", "processes", "-c", "2") as worker:
        address = address_of(worker)
        for round_ in (1, 2, 3):
            send(shown_workers, 10, str(round_))
            shown_workers.wait_until_quiet()
            shown = exposition.scraped(address)
            assert shown.value(f"{W}_operations_total", **about) == 10 * round_
            assert shown.total(f"{W}_latency_seconds_count", since="claim") == 10 * round_
            assert shown.total(f"{W}_api_call_seconds_count", method="PATCH") == 10 * round_
            kill_and_await(children(worker), worker)
        (folder,) = temporary.glob("genesys-workers-metrics-*")
        files = {path.name for path in folder.iterdir()}
    assert files <= {
        f"{kind}_{place}.db"
        for kind in ("counter", "histogram")
        for place in ("worker", "place-0", "place-1")
    }, "no file for every process there ever was"
    assert not folder.exists()


def kill_and_await(pids: list[int], worker: WorkerProcess) -> None:
    """Kill the processes of a pool, and wait until others have taken their places."""
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: len(children(worker)) == 2 and not set(children(worker)) & set(pids),
        20,
        "the pool is full again",
    )


def test_a_process_that_dies_in_the_middle_is_a_fault(shown_workers: Cluster) -> None:
    shown_workers.sandbox.fault(kind="latency", seconds=60, route=PARTICIPANTS)
    with shown_workers.worker("-P", "processes", "-c", "1") as worker:
        send(shown_workers, 1)
        wait_until(
            lambda: shown_workers.redis.hget(held_message(shown_workers), "started"), 20, "it runs"
        )
        (busy,) = children(worker)
        os.kill(busy, signal.SIGKILL)
        address = address_of(worker)
        wait_until(
            lambda: exposition.scraped(address).value(f"{W}_faults_total", kind="process_died"),
            30,
            "the death is counted",
        )
        worker.kill()  # what becomes of the message is another test's


def held_message(cluster: Cluster) -> str:
    """Return the key of the message that a worker holds."""
    tags: Any = cluster.redis.zrange("gw:leases", 0, 0)
    return f"gw:message:{tags[0].decode() if tags else ''}"


def test_a_second_worker_on_the_same_port_does_not_start_and_says_why(
    shown_workers: Cluster,
) -> None:
    with shown_workers.worker() as worker:
        taken = address_of(worker)
        arguments = ["worker", "--name", "second@localhost", "--metrics", taken]
        second = program.start(arguments, shown_workers.variables(), shown_workers.folder / "2.log")
        assert second.process.wait(30) == 2
    (said,) = re.findall(r"^genesys-workers: .*$", second.said(), re.MULTILINE)
    assert said.startswith(f"genesys-workers: METRICS_ADDRESS: cannot listen on {taken}: ")
    assert "each process of a host needs a port of its own" in said


@pytest.fixture
def away(server: RestartableRedis, cluster: Cluster) -> Cluster:
    """A cluster on a Redis that can be ended and started."""
    cluster.environment.update(ANY_PORT, REDIS_URL=server.url)
    return cluster


def test_a_worker_is_scraped_while_redis_is_away(away: Cluster, server: RestartableRedis) -> None:
    with away.worker() as worker:
        address = address_of(worker)
        assert exposition.scraped(address).value(f"{W}_redis_up") == 1
        server.kill()
        wait_until(
            lambda: exposition.scraped(address).value(f"{W}_redis_up") == 0, 20, "it is away"
        )
        assert f"{W}_faults_total" in exposition.scraped(address).samples
        server.start()
        wait_until(
            lambda: exposition.scraped(address).value(f"{W}_redis_up") == 1, 20, "it is back"
        )


def test_the_command_shows_the_cluster_with_or_without_redis(
    away: Cluster, server: RestartableRedis
) -> None:
    with program.running(["metrics"], away.variables(), away.folder, "metrics") as shown_by:
        address = shown_by.says(r'"address": "([^"]+)", "event": "metrics.shown"')[1]
        send(away, 3)
        attributes_ = {"queue": "attributes", "tenant": "default", "state": "waiting"}
        wait_until(
            lambda: exposition.scraped(address).value(f"{W}_queue_messages", **attributes_) == 3,
            20,
            "the messages are seen",
        )
        shown = exposition.scraped(address)
        assert shown.value(f"{W}_alive") == 0
        assert shown.value(f"{W}_queue_unread", queue="attributes", tenant="default") == 1
        server.kill()
        wait_until(
            lambda: exposition.scraped(address).value(f"{W}_redis_up") == 0, 20, "it is away"
        )
        assert f"{W}_alive" not in exposition.scraped(address).samples
        assert shown_by.end() == 0


@pytest.mark.parametrize("option", ["nowhere", "127.0.0.1:99999"])
def test_a_wrong_address_is_one_line_and_exit_code_2(
    cluster: Cluster,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    assert run(["metrics", "--address", option]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "must be host:port" in said
