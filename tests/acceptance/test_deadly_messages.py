"""A message that ends whoever carries it out is given up, and takes no other one with it."""

from __future__ import annotations

from tests.support.cluster import Cluster, wait_until
from tests.support.dangerous_app import EndWorker
from tests.support.errands import Errands, slow_reads
from tests.support.killing import with_lease
from tests.support.worker_group import start
from workers.app import WorkersApp


def test_a_message_that_ends_its_worker_each_time_is_parked_and_those_beside_it_are_not(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster = with_lease(cluster, 1)
    innocents = Errands(cluster=cluster, app=app)
    slow_reads(cluster, 1.5, times=6)
    poison = app.services.producer.publish(EndWorker(seconds=0.7))
    innocents.send(2)
    assert deaths(cluster, "threads") == 4, "three times beside others, and once alone"
    check_poison(app, poison, innocents)


def test_a_message_that_ends_its_pools_process_each_time_is_parked(
    cluster: Cluster, app: WorkersApp
) -> None:
    innocents = Errands(cluster=cluster, app=app)
    poison = app.services.producer.publish(EndWorker(seconds=0.1))
    innocents.send(2)
    assert deaths(cluster, "processes") == 0
    check_poison(app, poison, innocents)


def deaths(cluster: Cluster, pool: str) -> int:
    """Run a worker until all messages have ended, another when it dies; return how many died."""
    died = 0
    while True:
        worker = start(
            cluster.variables(), cluster.folder, "-P", pool, app="tests.support.dangerous_app"
        )
        wait_until(lambda: cluster.is_quiet() or not worker.is_up(), 60, "it has ended")  # noqa: B023
        if worker.is_up():
            worker.end()
            return died
        died += 1


def check_poison(app: WorkersApp, poison: str, innocents: Errands) -> None:
    """See that the message is a dead letter with its reason, and no other one is."""
    assert innocents.cluster.ending(poison)["status"] == "FAILURE"
    assert set(innocents.statuses().values()) <= {"done", "noop"}
    assert innocents.effects().total() == len(innocents.sent)
    (letter,) = (each for each in app.services.dead_letters.letters() if each.id.endswith(poison))
    assert (letter.task, letter.status) == ("end_worker", "failed")
    assert "worker died" in letter.reason
