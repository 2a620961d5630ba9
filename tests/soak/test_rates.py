"""A backlog uses the rate of its queue to the full, on a machine with nothing else to do."""

from __future__ import annotations

import pytest

from tests.acceptance.test_rates import MEASURED, Round, achieved, measured, most_above
from tests.support.cluster import Cluster
from workers.limits.admission import burst

SECONDS = 20
USED = 0.99


@pytest.fixture(scope="module")
def rounds(cluster: Cluster) -> list[Round]:
    return measured(cluster, SECONDS)


@pytest.mark.parametrize("queue", MEASURED)
def test_a_backlog_uses_the_rate_to_the_full_and_no_window_holds_more(
    rounds: list[Round], queue: str
) -> None:
    rate = MEASURED[queue]
    assert max(achieved(each[queue], rate) for each in rounds) >= USED * rate
    assert max(most_above(each[queue], rate) for each in rounds) <= burst(rate) + 1e-3
