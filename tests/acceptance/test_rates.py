"""The rate of a queue over all workers, measured at the claim on the clock of Redis."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.cluster import RATES, Cluster
from tests.support.stamping import OPTIONS, message, put, stamps
from tests.support.waiting import wait_until
from workers.admission import burst

SECONDS = 20
WORKERS = 3

#: Messages a second of each queue, all of them busy at the same time.
MEASURED = {"sync": 5.0, "merge": 50.0, "attributes": 200.0}


@pytest.fixture(scope="module")
def grants(cluster: Cluster) -> dict[str, list[float]]:
    """When messages were claimed of each queue, while each held a backlog."""
    rates = ",".join([RATES, *(f"{queue}={rate:g}/s" for queue, rate in MEASURED.items())])
    limited = replace(cluster, environment={**cluster.environment, "QUEUE_RATES": rates})
    with ExitStack() as running:
        for _ in range(WORKERS):
            running.enter_context(limited.worker(*OPTIONS))
        for queue, rate in MEASURED.items():
            backlog = (message(queue) for _ in range(round(rate * SECONDS) + burst(rate)))
            put(cluster.redis, queue, backlog)
        wait_until(lambda: not cluster.redis.exists(*MEASURED), 3 * SECONDS, "the backlogs end")
        cluster.wait_until_quiet()
    seen = stamps(cluster.redis)
    return {queue: [each.at for each in seen if each.queue == queue] for queue in MEASURED}


def most_above(claims: list[float], rate: float) -> float:
    """Return how many messages beyond `rate` the busiest of all windows holds, of any length."""
    lowest, most = 0.0, 0.0
    for count, at in enumerate(claims):
        ahead = count - rate * (at - claims[0])
        lowest = min(lowest, ahead)
        most = max(most, ahead - lowest + 1)
    return most


@pytest.mark.parametrize("queue", MEASURED)
def test_no_window_holds_more_than_rate_and_burst(
    grants: dict[str, list[float]], queue: str
) -> None:
    rate = MEASURED[queue]
    assert len(grants[queue]) == round(rate * SECONDS) + burst(rate)
    assert most_above(grants[queue], rate) <= burst(rate) + 1e-3


@pytest.mark.parametrize("queue", MEASURED)
def test_a_backlog_uses_the_rate(grants: dict[str, list[float]], queue: str) -> None:
    rate = MEASURED[queue]
    # What the burst lets go first is no rate yet.
    claims = grants[queue][burst(rate) :]
    achieved = (len(claims) - 1) / (claims[-1] - claims[0])
    assert achieved >= 0.99 * rate
