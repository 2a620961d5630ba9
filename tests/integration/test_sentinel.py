"""Redis behind a Sentinel: work is carried out, and goes on after the master has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tasks.messages import SyncProfile
from tests.support.cluster import Cluster, wait_until
from tests.support.sentinel import PASSWORD, SENTINEL_PASSWORD, Group, group
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle
from workers.store import INFRASTRUCTURE, Store

CONTACTS = "/api/v2/interactions/contacts/{contactId}"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(tmp_path_factory.mktemp("sentinel")) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster(watched: Group, shared_sandbox: SandboxHandle, folder: Path) -> Iterator[Cluster]:
    shared_sandbox.reset()
    url = watched.url
    with Store.connect(url).redis as client:
        yield Cluster(redis=client, redis_url=url, sandbox=shared_sandbox, folder=folder)


@pytest.fixture(scope="module")
def app(cluster: Cluster) -> Iterator[WorkersApp]:
    made = cluster.app()
    yield made
    made.services.close()


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> Iterator[WorkerProcess]:
    with cluster.worker() as running:
        yield running


def send(cluster: Cluster, app: WorkersApp) -> str:
    """Send a message, with the patience that a fail-over takes."""
    contact = uuid4().hex
    cluster.sandbox.put_many("contacts", {contact: {"attributes": {"tier": "gold"}}})
    cluster.sandbox.put_many("customers", {contact: {}})
    sent: list[str] = []

    def is_sent() -> bool:
        with suppress(*INFRASTRUCTURE):
            sent.append(app.services.producer.publish(SyncProfile(contact_id=contact)))
        return bool(sent)

    wait_until(is_sent, 60, "the message is on its queue", pause=0.2)
    return sent[0]


def ending(cluster: Cluster, sent: str) -> str:
    """Return how a message ended, with the same patience."""

    def has_ended() -> bool:
        with suppress(*INFRASTRUCTURE):
            return bool(cluster._has_ended(sent))
        return False

    wait_until(has_ended, 90, "the message has ended", pause=0.1)
    return str(cluster.ending(sent)["result"]["status"])


def carry_out(cluster: Cluster, app: WorkersApp) -> str:
    return ending(cluster, send(cluster, app))


def test_a_message_is_carried_out_and_its_result_is_found(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    assert carry_out(cluster, app) == "done"


def run(cluster: Cluster, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cluster.folder,
        env={**os.environ, **cluster.variables()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_commands_and_remote_control_find_the_master(
    cluster: Cluster, worker: WorkerProcess
) -> None:
    status = run(cluster, "workers.cli", "status")
    assert (status.returncode, status.stderr) == (0, "")
    ping = run(cluster, "celery", "-A", "workers.app", "inspect", "ping", "--timeout", "4")
    assert "pong" in ping.stdout


def test_no_password_is_told_by_configuration_reports_or_logs(
    cluster: Cluster, worker: WorkerProcess
) -> None:
    told = [
        run(cluster, "celery", "-A", "workers.app", "inspect", "conf", "--timeout", "4"),
        run(cluster, "celery", "-A", "workers.app", "inspect", "stats", "--timeout", "4"),
        run(cluster, "celery", "-A", "workers.app", "report"),
    ]
    assert ["mymaster" in each.stdout for each in told] == [True, True, True]
    said = cluster.logs() + "".join(each.stdout + each.stderr for each in told)
    assert PASSWORD not in said
    assert SENTINEL_PASSWORD not in said


@pytest.mark.slow
def test_a_worker_goes_on_after_a_planned_change_of_the_master(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, watched: Group
) -> None:
    old = watched.leader()
    with watched.sentinel.client as sentinel:
        sentinel.execute_command("SENTINEL", "FAILOVER", "mymaster")
    # Until then, it takes messages that are lost with what else it knows alone.
    wait_until(old.is_replica, 60, "the old master is a replica", pause=0.1)
    assert carry_out(cluster, app) == "done"
    assert worker.process.poll() is None


@pytest.mark.slow
def test_a_worker_goes_on_after_the_master_was_killed(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, watched: Group
) -> None:
    wait_until(watched.is_complete, 60, "the old master follows the new one", pause=0.2)
    cluster.sandbox.fault(kind="latency", seconds=8, route=CONTACTS)
    before = len(cluster.sandbox.journal(route=CONTACTS))
    running = send(cluster, app)
    wait_until(lambda: len(cluster.sandbox.journal(route=CONTACTS)) > before, 30, "it runs")
    watched.leader().kill()
    assert carry_out(cluster, app) == "done"
    assert ending(cluster, running) == "done"
    assert worker.process.poll() is None


def test_a_client_is_used_on_both_sides_of_a_fork(cluster: Cluster) -> None:
    client: Any = Store.connect(cluster.redis_url).redis
    mine = client.client_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(client.client_id()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(reading, 32))
    os.close(reading)
    os.close(writing)
    assert theirs != mine
    assert client.client_id() == mine
    client.close()
