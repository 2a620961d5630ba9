"""Workers that are killed while they work lose nothing, and nothing takes effect twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.support.cluster import Cluster, wait_until
from tests.support.dangerous_app import EndWorker
from tests.support.errands import PARTICIPANTS, Errands
from tests.support.killing import killed_in_turn
from tests.support.worker_group import POOLS, WorkerGroup, groups, start
from workers.app import WorkersApp

KILLS = 10
MESSAGES = 2_000

#: Seconds of a lease, and of a task that outlasts it.
LEASE, LONG = 2, 10

ONE_SLOT = ("-c", "1")


@pytest.fixture
def leased(cluster: Cluster) -> Cluster:
    return with_lease(cluster, LEASE)


@pytest.fixture
def errands(leased: Cluster, app: WorkersApp) -> Errands:
    return Errands(cluster=leased, app=app)


def with_lease(cluster: Cluster, seconds: int) -> Cluster:
    """Return the cluster with such leases, and with tasks that may take long."""
    lasting = {"LEASE_SECONDS": str(seconds), "TIMEOUTS__READ": "60"}
    return replace(cluster, environment={**cluster.environment, **lasting})


def test_worker_groups_killed_while_they_work_lose_nothing(
    cluster: Cluster, app: WorkersApp
) -> None:
    kill_at_work(cluster, app, kills=KILLS, messages=MESSAGES)


def kill_at_work(cluster: Cluster, app: WorkersApp, *, kills: int, messages: int) -> None:
    """Kill a worker with a thread pool and one with a process pool in turn, `kills` in all."""
    cluster = with_lease(cluster, 1)
    errands = Errands(cluster=cluster, app=app)
    with killed_in_turn(
        hire=lambda place: start(cluster.variables(), cluster.folder, "-P", POOLS[place]),
        places=len(POOLS),
        kills=kills,
        send=lambda: errands.send(messages // kills),
        done=ended,
    ):
        errands.check(300)
    assert len(errands.sent) == messages
    assert len(errands.reads(errands.sent)) > messages, "no kill has met a message that ran"


def ended(worker: WorkerGroup) -> int:
    return worker.said().count("operation.ended")


def test_a_killed_workers_message_runs_once_more_elsewhere_and_a_living_ones_once(
    leased: Cluster, errands: Errands
) -> None:
    slow_reads(leased, LONG, times=2)
    pools = ("threads", "processes", "threads")
    with groups(leased.variables(), leased.folder, *pools, options=ONE_SLOT) as workers:
        killed, living = errands.send(2)
        wait_until(lambda: len(errands.reads([killed, living])) == 2, 60, "both run")
        holder(errands, killed, workers).kill()
        moment = time.time()
        errands.check()
    assert len(errands.reads([living])) == 1
    _, again = errands.reads([killed])
    # Three seconds, and room for a machine that is busy; the default lease is of thirty.
    assert again - moment < LEASE + 8


@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_that_was_frozen_past_its_lease_adds_no_second_effect(
    leased: Cluster, errands: Errands, pool: str
) -> None:
    slow_reads(leased, 0.5, times=1)
    with groups(leased.variables(), leased.folder, pool, pool, options=ONE_SLOT) as workers:
        (name,) = errands.send(1)
        wait_until(lambda: errands.reads([name]), 60, "it runs")
        frozen = holder(errands, name, workers)
        frozen.signal(signal.SIGSTOP)
        wait_until(lambda: errands.statuses()[name] == "done", 60, "another worker has run it")
        frozen.signal(signal.SIGCONT)
        (other,) = errands.send(1)
        wait_until(lambda: errands.statuses()[other] == "done", 60, "work goes on")
        assert [worker.is_up() for worker in workers] == [True, True]
    errands.check()


def test_a_message_that_ends_its_worker_each_time_is_parked_and_those_beside_it_are_not(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster = with_lease(cluster, 1)
    innocents = Errands(cluster=cluster, app=app)
    slow_reads(cluster, 1.5, times=6)
    poison = app.services.producer.publish(EndWorker(seconds=0.7))
    innocents.send(2)
    assert deaths(cluster, "threads") == 4, "three times beside others, and once alone"
    check_poison(app, poison, innocents)


def test_a_message_that_ends_its_pools_process_each_time_is_parked(
    cluster: Cluster, app: WorkersApp
) -> None:
    innocents = Errands(cluster=cluster, app=app)
    poison = app.services.producer.publish(EndWorker(seconds=0.1))
    innocents.send(2)
    assert deaths(cluster, "processes") == 0
    check_poison(app, poison, innocents)


def deaths(cluster: Cluster, pool: str) -> int:
    """Run a worker until all messages have ended, another when it dies; return how many died."""
    died = 0
    while True:
        worker = start(
            cluster.variables(), cluster.folder, "-P", pool, app="tests.support.dangerous_app"
        )
        wait_until(lambda: cluster.is_quiet() or not worker.is_up(), 60, "it has ended")  # noqa: B023
        if worker.is_up():
            worker.end()
            return died
        died += 1


def check_poison(app: WorkersApp, poison: str, innocents: Errands) -> None:
    """See that the message is a dead letter with its reason, and no other one is."""
    assert innocents.cluster.ending(poison)["status"] == "FAILURE"
    assert set(innocents.statuses().values()) <= {"done", "noop"}
    assert innocents.effects().total() == len(innocents.sent)
    (letter,) = (each for each in app.services.dead_letters.letters() if each.id.endswith(poison))
    assert (letter.task, letter.status) == ("end_worker", "failed")
    assert "worker died" in letter.reason


def slow_reads(cluster: Cluster, seconds: float, times: int) -> None:
    """Let the next runs last so long; each begins with a read of its conversation."""
    slow: dict[str, Any] = {"kind": "latency", "seconds": seconds, "times": times}
    cluster.sandbox.fault(method="GET", route=PARTICIPANTS, system="genesys", **slow)


def holder(errands: Errands, name: str, workers: Sequence[WorkerGroup]) -> WorkerGroup:
    """Return the one of `workers` that holds the message."""
    by_name = {worker.name: worker for worker in workers}
    return by_name[errands.holder(name)]
