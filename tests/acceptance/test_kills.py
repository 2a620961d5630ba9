"""Workers that are killed while they work lose nothing, and nothing takes effect twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

import pytest

from tests.support.cluster import Cluster, wait_until
from tests.support.errands import Errands, slow_reads
from tests.support.killing import killed_in_turn, with_lease
from tests.support.worker_group import POOLS, WorkerGroup, groups, start
from workers.app import WorkersApp

#: `tests/soak` kills 200 times.
KILLS = 6
MESSAGES = 900

#: Seconds of a lease, and of a task that outlasts it.
LEASE, LONG = 2, 10

ONE_SLOT = ("-c", "1")


@pytest.fixture
def leased(cluster: Cluster) -> Cluster:
    return with_lease(cluster, LEASE)


@pytest.fixture
def errands(leased: Cluster, app: WorkersApp) -> Errands:
    return Errands(cluster=leased, app=app)


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
    # Longer than finding out who runs it takes; nobody waits for it.
    slow_reads(leased, 2.0, times=1)
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


def holder(errands: Errands, name: str, workers: Sequence[WorkerGroup]) -> WorkerGroup:
    """Return the one of `workers` that holds the message."""
    by_name = {worker.name: worker for worker in workers}
    return by_name[errands.holder(name)]
