"""A worker that is asked to end: what runs ends, what does not goes to others at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.cluster import Cluster, wait_until
from tests.support.errands import PARTICIPANTS, Errands
from tests.support.worker_group import POOLS, WorkerGroup, start
from workers.app import WorkersApp

#: A lease that no test waits for, and one that ends soon.
LONG_LEASE, SHORT_LEASE = 600, 2

SLOTS = 4

#: Seconds of what runs when the worker is asked to end, and where another one has to take over
#: meanwhile, on a machine that is busy. A call that takes longer than ten is given up.
RUN, LONG_RUN = 4.0, 8.0

#: As many messages again as run are held by the worker, and have not been started.
AHEAD = ("--prefetch-multiplier", "2")


def errands_with(cluster: Cluster, app: WorkersApp, lease: int) -> Errands:
    environment = {**cluster.environment, "LEASE_SECONDS": str(lease)}
    return Errands(cluster=replace(cluster, environment=environment), app=app)


def started(errands: Errands, *options: str) -> WorkerGroup:
    worker = start(errands.cluster.variables(), errands.cluster.folder, *options)
    worker.wait_until_ready()
    return worker


def make_slow(cluster: Cluster, seconds: float) -> None:
    slow: dict[str, Any] = {"kind": "latency", "seconds": seconds, "times": SLOTS}
    cluster.sandbox.fault(method="GET", route=PARTICIPANTS, system="genesys", **slow)


def held(cluster: Cluster) -> int:
    return int(cluster.redis.zcard("gw:leases"))


def test_what_was_not_started_goes_to_another_worker_while_what_runs_is_finished(
    cluster: Cluster, app: WorkersApp
) -> None:
    end_at_work(cluster, app, "threads")


def end_at_work(cluster: Cluster, app: WorkersApp, pool: str) -> None:
    """End a worker that holds as many messages again as it runs; another one stands ready."""
    errands = errands_with(cluster, app, LONG_LEASE)
    other = started(errands, "-P", pool, "-Q", "sync")
    ending = started(errands, "-P", pool, *AHEAD)
    make_slow(cluster, LONG_RUN)
    names = errands.send(2 * SLOTS)
    wait_until(lambda: len(errands.reads(names)) == SLOTS, 60, "some run")
    wait_until(lambda: held(cluster) == 2 * SLOTS, 60, "the others are held")
    ending.process.send_signal(signal.SIGTERM)
    app.control.add_consumer("attributes", destination=[other.name])
    assert ending.process.wait(60) == 0
    errands.check()
    other.process.send_signal(signal.SIGTERM)
    assert other.process.wait(60) == 0
    reads = sorted(errands.reads(names))
    assert len(reads) == 2 * SLOTS, "each has run once"
    assert reads[-1] < reads[0] + LONG_RUN, "the others ran before the first ones had ended"


def test_a_worker_that_ends_while_it_claims_holds_nothing_afterwards(
    cluster: Cluster, app: WorkersApp
) -> None:
    end_while_claiming(cluster, app, 2)


def end_while_claiming(cluster: Cluster, app: WorkersApp, times: int) -> None:
    """End workers that have more to claim than they get to."""
    errands = errands_with(cluster, app, LONG_LEASE)
    for time in range(times):
        worker = started(errands, "-P", POOLS[time % len(POOLS)])
        now = errands.send(150)
        wait_until(lambda: len(errands.effects(now)) > 20, 60, "it works")  # noqa: B023
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(60) == 0
        assert held(cluster) == 0
    worker = started(errands)
    errands.check()
    worker.end()
    assert len(errands.reads(errands.sent)) == len(errands.sent), "each has run once"


def end_twice(worker: WorkerGroup) -> None:
    """Press Ctrl-C twice, the second time when the first has been noticed."""
    worker.process.send_signal(signal.SIGINT)
    wait_until(lambda: "Hitting Ctrl+C again" in worker.said(), 60, "it is about to end")
    worker.process.send_signal(signal.SIGINT)


def quit_at_once(worker: WorkerGroup) -> None:
    worker.process.send_signal(signal.SIGQUIT)


@pytest.mark.parametrize(("pool", "end"), [("threads", end_twice), ("processes", quit_at_once)])
def test_messages_of_a_worker_that_ended_at_once_are_run_by_another(
    cluster: Cluster, app: WorkersApp, pool: str, end: Callable[[WorkerGroup], None]
) -> None:
    errands = errands_with(cluster, app, SHORT_LEASE)
    make_slow(cluster, RUN)
    ending = started(errands, "-P", pool)
    names = errands.send(2 * SLOTS)
    wait_until(lambda: len(errands.reads(names)) == SLOTS, 60, "some run")
    end(ending)
    ending.process.wait(60)
    other = started(errands)
    errands.check()
    other.end()
