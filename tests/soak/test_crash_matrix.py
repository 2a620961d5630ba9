"""The crash matrix, three times: other data, other moments."""

from __future__ import annotations

import pytest

from tests.acceptance.test_crash_matrix import crash_everywhere
from tests.support.cluster import Cluster
from tests.support.tenants import UNLIMITED
from workers.app import WorkersApp


@pytest.fixture
def fresh(cluster: Cluster) -> Cluster:
    """The cluster without anything of an earlier run."""
    cluster.redis.flushdb()
    cluster.sandbox.reset()
    cluster.sandbox.options(requests_per_minute=UNLIMITED, participants_per_second=UNLIMITED)
    return cluster


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_worker_killed_at_any_step_of_any_operation_leaves_one_effect_and_one_end(
    fresh: Cluster, app: WorkersApp, seed: int
) -> None:
    crash_everywhere(fresh, app, seed)
