"""Workers that are asked to end, more often than in the suite."""

from __future__ import annotations

from tests.acceptance.test_shutdown import end_at_work, end_while_claiming
from tests.support.cluster import Cluster
from workers.app import WorkersApp

TIMES = 20


def test_a_process_pool_returns_what_was_not_started(cluster: Cluster, app: WorkersApp) -> None:
    end_at_work(cluster, app, "processes")


def test_workers_that_end_while_they_claim_hold_nothing_afterwards(
    cluster: Cluster, app: WorkersApp
) -> None:
    end_while_claiming(cluster, app, TIMES)
