"""The rate of a queue over all workers, measured at the claim on the clock of Redis."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.cluster import RATES, Cluster
from tests.support.stamping import OPTIONS, message, put, stamps
from tests.support.waiting import wait_until
from workers.limits.admission import burst

#: `tests/soak` measures for 20 seconds.
SECONDS = 8
WORKERS = 3

#: Messages a second of each queue, all of them busy at the same time.
MEASURED = {"sync": 5.0, "merge": 50.0, "attributes": 200.0}

#: The share of its rate that a queue uses at least which holds a backlog, on a machine that other
#: tests keep busy; `tests/soak/test_rates.py` has it to itself.
USED = 0.7

#: Measurements at most: others may keep the machine too busy for three workers.
ROUNDS = 3

#: When messages of each queue were claimed, while each held a backlog.
Round = dict[str, list[float]]


@pytest.fixture(scope="module")
def rounds(cluster: Cluster) -> list[Round]:
    return measured(cluster, SECONDS)


def measured(cluster: Cluster, seconds: int) -> list[Round]:
    """One measurement, or more where the machine was too slow for the rates in the first."""
    rates = ",".join([RATES, *(f"{queue}={rate:g}/s" for queue, rate in MEASURED.items())])
    limited = replace(cluster, environment={**cluster.environment, "QUEUE_RATES": rates})
    rounds: list[Round] = []
    with ExitStack() as running:
        for _ in range(WORKERS):
            running.enter_context(limited.worker(*OPTIONS))
        while len(rounds) < ROUNDS and not all(is_used(rounds, queue) for queue in MEASURED):
            rounds.append(measure(cluster, seconds))
    return rounds


def measure(cluster: Cluster, seconds: int) -> Round:
    cluster.redis.delete("stamps")
    for queue, rate in MEASURED.items():
        put(cluster.redis, queue, (message(queue) for _ in range(backlog(rate, seconds))))
    wait_until(lambda: not cluster.redis.exists(*MEASURED), 20 * seconds, "the backlogs end")
    cluster.wait_until_quiet()
    seen = stamps(cluster.redis)
    return {queue: [each.at for each in seen if each.queue == queue] for queue in MEASURED}


def backlog(rate: float, seconds: int) -> int:
    return round(rate * seconds) + burst(rate)


def is_used(rounds: list[Round], queue: str) -> bool:
    rate = MEASURED[queue]
    return any(achieved(each[queue], rate) >= USED * rate for each in rounds)


def achieved(claims: list[float], rate: float) -> float:
    """Return messages a second, without what the burst lets go first."""
    after = claims[burst(rate) :]
    return (len(after) - 1) / (after[-1] - after[0])


def most_above(claims: list[float], rate: float) -> float:
    """Return how many messages beyond `rate` the busiest of all windows holds, of any length."""
    lowest, most = 0.0, 0.0
    for count, at in enumerate(claims):
        ahead = count - rate * (at - claims[0])
        lowest = min(lowest, ahead)
        most = max(most, ahead - lowest + 1)
    return most


@pytest.mark.parametrize("queue", MEASURED)
def test_no_window_holds_more_than_rate_and_burst(rounds: list[Round], queue: str) -> None:
    rate = MEASURED[queue]
    for claims in (each[queue] for each in rounds):
        assert len(claims) == backlog(rate, SECONDS)
        assert most_above(claims, rate) <= burst(rate) + 1e-3


@pytest.mark.parametrize("queue", MEASURED)
def test_a_backlog_uses_the_rate(rounds: list[Round], queue: str) -> None:
    rate = MEASURED[queue]
    shares = [f"{achieved(each[queue], rate) / rate:.1%}" for each in rounds]
    assert is_used(rounds, queue), f"of its rate it used {', then '.join(shares)}"
