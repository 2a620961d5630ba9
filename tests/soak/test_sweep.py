"""A sweep of 10,000 interactions whose worker dies twice."""

from __future__ import annotations

from tests.acceptance.test_sweep import MEGABYTE, check
from tests.support.cluster import Cluster
from tests.support.sweeps import killed_sweep
from workers.app import WorkersApp

COUNT = 10_000


def test_a_long_sweep_stopped_twice_redacts_every_interaction_once(
    cluster: Cluster, app: WorkersApp
) -> None:
    sweep = killed_sweep(cluster, app, count=COUNT, pages_a_second=3)
    check(sweep, COUNT)
    assert sweep.memory_late < sweep.memory_early + 30 * MEGABYTE
