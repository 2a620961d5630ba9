"""Ten thousand messages that are broken in every way: each ends, and the worker goes on."""

from __future__ import annotations

from tests.acceptance.test_fuzz import fuzz
from tests.support.cluster import Cluster
from workers.app import WorkersApp


def test_each_of_10_000_fuzzed_messages_is_a_dead_letter_or_an_outcome(
    cluster: Cluster, app: WorkersApp
) -> None:
    fuzz(cluster, app, messages=10_000, huge=24)
