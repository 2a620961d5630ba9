"""A sweep of 1,000 interactions whose worker dies twice; `tests/soak` does 10,000."""

from __future__ import annotations

import pytest

from tests.support.cluster import Cluster
from tests.support.sweeps import KILLS, PAGE, Sweep, killed_sweep
from workers.app import WorkersApp

pytestmark = pytest.mark.slow

COUNT = 1_000
MEGABYTE = 1024 * 1024


def check(sweep: Sweep, count: int) -> None:
    """Check that everything was redacted once, and no page read again but the one in work."""
    assert set(sweep.redacted) == sweep.chats
    assert set(sweep.redacted.values()) == {1}
    assert len(sweep.pages) == count // PAGE
    assert max(sweep.pages.values()) <= 2
    assert sum(sweep.pages.values()) <= count // PAGE + KILLS


def test_a_sweep_stopped_twice_redacts_every_interaction_once(
    cluster: Cluster, app: WorkersApp
) -> None:
    sweep = killed_sweep(cluster, app, count=COUNT, pages_a_second=2)
    check(sweep, COUNT)
    assert sweep.memory_late < sweep.memory_early + 20 * MEGABYTE
