"""Workers that are killed while they work lose nothing, and nothing takes effect twice."""

from __future__ import annotations

from dataclasses import replace

from tests.support.cluster import Cluster
from tests.support.errands import Errands
from tests.support.killing import killed_in_turn
from tests.support.worker_group import POOLS, WorkerGroup, start
from workers.app import WorkersApp

KILLS = 10
MESSAGES = 2_000


def test_worker_groups_killed_while_they_work_lose_nothing(
    cluster: Cluster, app: WorkersApp
) -> None:
    kill_at_work(cluster, app, kills=KILLS, messages=MESSAGES)


def kill_at_work(cluster: Cluster, app: WorkersApp, *, kills: int, messages: int) -> None:
    """Kill a worker with a thread pool and one with a process pool in turn, `kills` in all."""
    cluster = replace(cluster, environment={**cluster.environment, "LEASE_SECONDS": "1"})
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
