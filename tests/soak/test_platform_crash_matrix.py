"""The crash matrix of the `platform` contract: every step of every operation."""

from __future__ import annotations

from tests.acceptance.test_platform_crash_matrix import ALL, cluster, crash_everywhere
from tests.support.cluster import Cluster
from workers.app import WorkersApp

__all__ = ["cluster"]


def test_a_worker_killed_at_any_step_of_any_operation_leaves_one_effect_and_one_end(
    cluster: Cluster,  # the fixture of that module
    app: WorkersApp,
) -> None:
    crash_everywhere(cluster, app, ALL)
