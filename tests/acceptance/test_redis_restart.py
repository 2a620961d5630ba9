"""Redis ends and starts again while workers work: they stay up, go on, and lose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tests.support.cluster import Cluster, wait_until
from tests.support.errands import PARTICIPANTS, Errands
from tests.support.restartable_redis import RestartableRedis, redis_url, server
from tests.support.worker_group import POOLS, groups
from workers.app import WorkersApp

__all__ = ["redis_url", "server"]

LEASE = 2

#: How Redis ends, and for how many seconds it is away.
Restart = tuple[Callable[[RestartableRedis], None], float]

#: For less than a lease, and for more than one.
RESTARTS: tuple[Restart, ...] = (
    (RestartableRedis.kill, 0.0),
    (RestartableRedis.shut_down, LEASE * 2.0),
)

CUTS = 5


@pytest.fixture(scope="module")
def cluster(cluster: Cluster) -> Cluster:
    return replace(cluster, environment={**cluster.environment, "LEASE_SECONDS": str(LEASE)})


def test_workers_go_on_after_redis_has_been_away(
    cluster: Cluster, app: WorkersApp, server: RestartableRedis
) -> None:
    restart_at_work(cluster, app, server, RESTARTS)


def test_workers_go_on_after_their_connections_have_been_cut(
    cluster: Cluster, app: WorkersApp
) -> None:
    cut_at_work(cluster, app, CUTS)


def restart_at_work(
    cluster: Cluster, app: WorkersApp, server: RestartableRedis, restarts: Iterable[Restart]
) -> None:
    """Restart Redis while messages run, wait and are delayed, on workers of both pools."""
    errands = Errands(cluster=cluster, app=app)
    with groups(cluster.variables(), cluster.folder, *POOLS) as workers:
        for end, seconds in restarts:
            make_slow(cluster)
            now = errands.send(40)
            errands.send(10, delay=seconds + 1)
            wait_until(lambda: len(errands.reads(now)) >= 6, 60, "some run")  # noqa: B023
            end(server)
            time.sleep(seconds)
            server.start()
            errands.check(120)
            assert [worker.is_up() for worker in workers] == [True, True]


def cut_at_work(cluster: Cluster, app: WorkersApp, cuts: int) -> None:
    """Cut all connections to Redis, `cuts` times, while workers of both pools work."""
    errands = Errands(cluster=cluster, app=app)
    with groups(cluster.variables(), cluster.folder, *POOLS) as workers:
        for _ in range(cuts):
            make_slow(cluster)
            now = errands.send(20)
            wait_until(lambda: errands.effects(now), 60, "they work")  # noqa: B023
            cluster.redis.client_kill_filter(_type="normal")
        errands.check(120)
        assert [worker.is_up() for worker in workers] == [True, True]


def make_slow(cluster: Cluster) -> None:
    """Let the next runs, as many as there are slots, last for a second."""
    cluster.sandbox.fault(kind="latency", seconds=1.0, times=8, method="GET", route=PARTICIPANTS)
