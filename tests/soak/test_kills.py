"""Long runs of what ends workers and Redis: nothing is lost. Stock Celery shows what it loses."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, cycle

import pytest

from tests.acceptance.test_kills import kill_at_work
from tests.support.cluster import Cluster, wait_until
from tests.support.counting import BY_WORKER, COUNTED, QUEUE, TASK
from tests.support.killing import killed_in_turn
from tests.support.worker_group import POOLS, WorkerGroup, start
from workers.app import WorkersApp

KILLS = 200
MESSAGES = 40_000


def test_many_worker_groups_killed_while_they_work_lose_nothing(
    cluster: Cluster, app: WorkersApp
) -> None:
    kill_at_work(cluster, app, kills=KILLS, messages=MESSAGES)


def test_claims_lose_nothing_where_stock_celery_does(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    by_claims = lost(cluster, "claims")
    by_stock = lost(cluster, "stock")
    with capsys.disabled():
        print(f"\nlost of {MESSAGES:,} in {KILLS} kills: {by_claims}; stock Celery: {by_stock}")
    assert by_claims == 0


def lost(cluster: Cluster, side: str) -> int:
    """Kill a worker of `side` again and again; return how many messages were not carried out."""
    redis = cluster.redis
    redis.flushdb()
    cluster = replace(
        cluster, environment={**cluster.environment, "LEASE_SECONDS": "1", "COUNTING": side}
    )
    app = cluster.app()
    pools = cycle(POOLS)
    ids = map(str, count())

    def hire(place: int) -> WorkerGroup:
        options = ("-P", next(pools), "-l", "INFO")
        return start(cluster.variables(), cluster.folder, *options, app="tests.support.counting")

    def send() -> None:
        for _ in range(MESSAGES // KILLS):
            app.services.producer.app.send_task(TASK, queue=QUEUE, task_id=next(ids))

    def done(worker: WorkerGroup) -> int:
        return int(redis.hget(BY_WORKER, worker.name) or 0)

    with killed_in_turn(hire, 1, KILLS, send, done):
        wait_until(lambda: not redis.exists(QUEUE), 300, "the queue is empty")
        wait_until(cluster.is_quiet, 300, "no message is held")
        wait_until(lambda: not redis.exists("unacked"), 300, "stock Celery holds none")
    app.services.close()
    return MESSAGES - int(redis.scard(COUNTED))
