"""Worker groups that are killed in turn, again and again, while they work; each is replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from tests.support.cluster import Cluster
from tests.support.waiting import wait_until
from tests.support.worker_group import WorkerGroup

#: Starts a worker for the place, counted from 0, of one that has been killed.
Hire = Callable[[int], WorkerGroup]

#: Returns how many messages a worker has carried out so far.
Done = Callable[[WorkerGroup], int]

#: Messages that a worker carries out at least, before it is killed in the midst of others.
FIRST = 5


def with_lease(cluster: Cluster, seconds: int) -> Cluster:
    """Return the cluster with such leases, and with tasks that may take long."""
    lasting = {"LEASE_SECONDS": str(seconds), "TIMEOUTS__READ": "60"}
    return replace(cluster, environment={**cluster.environment, **lasting})


@contextmanager
def killed_in_turn(
    hire: Hire, places: int, kills: int, send: Callable[[], object], done: Done
) -> Iterator[Sequence[WorkerGroup]]:
    """Run `places` workers and kill one of them, in turn, `kills` times; then run the block.

    Before each kill `send` gives them work, more than they finish until then.
    """
    workers = [hire(place) for place in range(places)]
    try:
        for kill in range(kills):
            place = kill % places
            _kill_at_work(workers[place], send, done, Random(kill))
            workers[place] = hire(place)
        yield workers
    finally:
        for worker in workers:
            worker.end()


def _kill_at_work(
    worker: WorkerGroup, send: Callable[[], object], done: Done, random: Random
) -> None:
    worker.wait_until_ready()
    enough = done(worker) + FIRST
    send()
    wait_until(lambda: done(worker) >= enough, 60, f"{worker.name} is at work")
    time.sleep(random.uniform(0, 0.05))
    worker.kill()
