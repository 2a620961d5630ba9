"""Messages that wait for a moment: countdowns, put-backs, priorities, expiry and revocation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from tests.support.claiming import let_all_be_due
from tests.support.cluster import Cluster
from tests.support.hearing import hearing
from tests.support.stamping import OPTIONS, TASK, message, put, stamps
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.letters.dead_letters import DeadLetter
from workers.limits.priority import lists

PATCH = "/api/v2/conversations/voice/participants/{participantId}"
EXPIRED = "expires: was over before it could run"
SET: dict[str, Any] = {"conversation_id": "a-call", "attributes": {"tier": "gold"}}
MANY = 10_000

#: Seconds until a message is claimed that is due, on a machine that is busy.
SOON = 5

#: What is put back waits longer than any test.
PATIENT = {"ERROR_POLICY__5XX__FIRST_WAIT": "300"}


@pytest.fixture(scope="module", autouse=True)
def a_call(cluster: Cluster) -> None:
    cluster.sandbox.put("conversations", "a-call", {"participants": [{}]})


@pytest.fixture(scope="module")
def worker(cluster: Cluster, a_call: None) -> Iterator[WorkerProcess]:
    patient = replace(cluster, environment={**cluster.environment, **PATIENT})
    with patient.worker(*OPTIONS) as running:
        yield running


@pytest.fixture(autouse=True)
def no_stamps(cluster: Cluster) -> None:
    cluster.redis.delete("stamps")


def send(app: WorkersApp, name: str, **options: Any) -> str:
    """Send a message that is only claimed, as a stock client does."""
    client = app.services.producer.app
    return str(client.send_task(TASK, kwargs={"name": name}, queue="attributes", **options).id)


def claimed(cluster: Cluster, count: int) -> dict[str, float]:
    """Wait for so many claims and return their moments by the messages' names."""
    wait_until(lambda: len(stamps(cluster.redis)) >= count, 30, f"{count} messages are claimed")
    return {each.name: each.at for each in stamps(cluster.redis)}


def letter_of(app: WorkersApp, message_id: str) -> DeadLetter:
    def found() -> list[DeadLetter]:
        letters = app.services.dead_letters.letters()
        return [each for each in letters if each.id.endswith(f":{message_id}")]

    wait_until(found, 30, f"{message_id} is kept")
    return found()[0]


def state_of(app: WorkersApp, message_id: str) -> str:
    return str(app.AsyncResult(message_id).state)


@contextmanager
def paused(app: WorkersApp, seconds: float) -> Iterator[None]:
    """Let the default tenant's messages wait in the block, which ends within so many `seconds`."""
    connections = app.services.runner.connections["default"]
    connections.pause("genesys", seconds, by_server=False)
    yield
    app.services.store.redis.delete("gw:pause:default:genesys")


def test_a_stock_clients_countdown_and_eta_are_kept(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    now = datetime.now(UTC)
    zones = {hours: timezone(timedelta(hours=hours)) for hours in (-3, 0, 5.5)}
    due = {f"eta-{hours}": now + timedelta(seconds=1.25) for hours in zones}
    for hours, zone in zones.items():
        send(app, f"eta-{hours}", eta=due[f"eta-{hours}"].astimezone(zone))
    for seconds in (0.2, 1, 2.5):
        name = f"countdown-{seconds}"
        due[name] = datetime.now(UTC) + timedelta(seconds=seconds)
        send(app, name, countdown=seconds)
    at = claimed(cluster, len(due))
    late = {name: at[name] - moment.timestamp() for name, moment in due.items()}
    # A moment is told in whole milliseconds, in Redis.
    assert {name: by for name, by in late.items() if not -0.001 <= by < SOON} == {}


def test_an_eta_that_is_over_delays_nothing(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    send(app, "yesterday", eta=datetime.now(UTC) - timedelta(days=1))
    assert claimed(cluster, 1).keys() == {"yesterday"}


def test_a_put_back_is_told_and_runs_again(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    cluster.sandbox.fault(method="PATCH", route=PATCH, kind="status", status=503)
    with hearing(app, "task-retried") as heard:
        client = app.services.producer.app
        sent = client.send_task("set_attributes", kwargs=SET, queue="attributes").id
        wait_until(lambda: state_of(app, sent) == "RETRY", 30, "its producer is told")
        wait_until(lambda: heard, 30, "everybody is told")
        wait_until(lambda: cluster.redis.exists("gw:delayed:attributes"), 30, "it is put back")
        let_all_be_due(cluster.redis, "attributes")
        ending = cluster.ending(sent)
    assert [each["uuid"] for each in heard] == [sent]
    assert (ending["status"], ending["result"]["attempts"]) == ("SUCCESS", 2)


def test_thousands_that_are_due_tomorrow_delay_none_that_is_due_today(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    memory = worker.memory()
    put(cluster.redis, "attributes", (message("late", eta=tomorrow) for _ in range(MANY)))
    send(app, "behind them")
    assert claimed(cluster, 1).keys() == {"behind them"}
    sent = time.time()
    send(app, "after them")
    assert claimed(cluster, 2)["after them"] - sent < SOON
    assert cluster.redis.zcard("gw:delayed:attributes") == MANY
    wait_until(lambda: not cluster.redis.exists("gw:leases"), 30, "none of them holds a lease")
    # As requests in a worker they would take about ten kilobytes each.
    assert worker.memory() - memory < 1_000 * MANY
    cluster.redis.delete("gw:delayed:attributes", *cluster.redis.scan_iter("gw:message:*"))


def test_urgent_messages_go_first_and_those_that_were_delayed_before_them(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    with paused(app, 120):
        send(app, "delayed", priority=9, countdown=1)
        wait_until(lambda: cluster.redis.exists("gw:delayed:attributes"), 30, "it is set aside")
        for priority in range(9, -1, -1):
            send(app, str(priority), priority=priority)
        assert [cluster.redis.llen(name) for name in lists("attributes")] == [3, 3, 3, 1]
        time.sleep(1)
    at = claimed(cluster, 11)
    order = sorted(at, key=lambda name: at[name])
    assert order == ["delayed", "2", "1", "0", "5", "4", "3", "8", "7", "6", "9"]


@pytest.mark.parametrize(
    "options",
    [
        {"expires": datetime(2020, 1, 1, tzinfo=UTC)},
        {"expires": 0.3, "countdown": 1},
    ],
    ids=["in the past", "while delayed"],
)
def test_an_expired_message_is_kept_and_makes_no_call(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, options: dict[str, Any]
) -> None:
    asked = len(cluster.sandbox.journal())
    client = app.services.producer.app
    sent = client.send_task("set_attributes", kwargs=SET, queue="attributes", **options).id
    letter = letter_of(app, sent)
    assert (letter.task, letter.status, letter.reason) == ("set_attributes", "failed", EXPIRED)
    assert app.services.dead_letters.payload(letter.id) == SET
    wait_until(lambda: state_of(app, sent) == "REVOKED", 30, "its producer is told")
    assert len(cluster.sandbox.journal()) == asked


def test_a_message_that_expires_while_its_queue_is_paused_is_kept(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    with paused(app, 120):
        sent = send(app, "too late", expires=0.5)
        assert letter_of(app, sent).reason == EXPIRED
    assert stamps(cluster.redis) == []


def test_revoked_messages_are_kept_also_by_a_worker_that_never_heard_of_it(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    waiting, delayed, unsent = (str(uuid4()) for _ in range(3))
    with paused(app, 300):
        send(app, "waiting", task_id=waiting)
        due = time.time() + 6
        send(app, "delayed", task_id=delayed, countdown=6)
        answers: Any = app.control.revoke(
            [waiting, delayed, unsent], reply=True, timeout=30, limit=1
        )
        assert len(answers) == 1
        assert letter_of(app, waiting).reason == "revoked"
        worker.process.terminate()
        worker.process.wait(60)
    with cluster.worker(*OPTIONS):
        send(app, "unsent", task_id=unsent)
        assert letter_of(app, unsent).reason == "revoked"
        letter = letter_of(app, delayed)
        for each in (waiting, delayed, unsent):
            wait_until(lambda: state_of(app, each) == "REVOKED", 30, "its producer is told")  # noqa: B023
    assert (letter.status, letter.reason) == ("failed", "revoked")
    assert letter.at >= due - 0.001
    assert stamps(cluster.redis) == []
