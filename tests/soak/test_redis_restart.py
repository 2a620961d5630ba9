"""Redis ends, and connections are cut, more often and for longer than in the suite."""

from __future__ import annotations

from tests.acceptance.test_redis_restart import (
    LEASE,
    Restart,
    cluster,
    cut_at_work,
    restart_at_work,
)
from tests.support.cluster import Cluster
from tests.support.restartable_redis import RestartableRedis, redis_url, server
from workers.app import WorkersApp

__all__ = ["cluster", "redis_url", "server"]

#: Seconds after which Celery gives up writing a result.
VERY_LONG = 30.0

RESTARTS: tuple[Restart, ...] = tuple(
    (end, seconds)
    for seconds in (0.0, 0.5, LEASE * 2.0, VERY_LONG)
    for end in (RestartableRedis.kill, RestartableRedis.shut_down)
)

CUTS = 40


def test_workers_go_on_however_long_redis_has_been_away(
    cluster: Cluster, app: WorkersApp, server: RestartableRedis
) -> None:
    restart_at_work(cluster, app, server, RESTARTS)


def test_workers_go_on_however_often_their_connections_are_cut(
    cluster: Cluster, app: WorkersApp
) -> None:
    cut_at_work(cluster, app, CUTS)
