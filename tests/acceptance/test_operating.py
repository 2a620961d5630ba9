"""A worker as its operator sees it: what it tells of itself, and how it ends."""

from __future__ import annotations

import signal
from typing import Any

from tests.support.cluster import Cluster, wait_until
from tests.support.errands import PARTICIPANTS
from workers.app import WorkersApp
from workers.watching.status import look

MESSAGES = 12


def test_a_worker_that_is_asked_to_end_finishes_what_runs_and_returns_the_rest(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.sandbox.fault(system="genesys", kind="latency", seconds=1.0, times=None)
    begun = {"method": "GET", "route": PARTICIPANTS}
    client = app.services.producer.app
    conversations = cluster.sandbox.ids("conversations", state="active")[:MESSAGES]
    with cluster.worker() as worker:
        for conversation in conversations:
            arguments = {"conversation_id": conversation, "attributes": {"tier": "gold"}}
            client.send_task("set_attributes", kwargs=arguments, queue="attributes")
        wait_until(lambda: len(cluster.sandbox.journal(**begun)) >= 4, 60, "four have begun")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(60) == 0
    status = look(app.services)
    waiting = sum(queue.waiting for queue in status.queues)
    done = len(cluster.sandbox.effects(kind="participant.attributes"))
    assert status.held == 0
    assert waiting + done == MESSAGES
    assert 4 <= done < MESSAGES


def test_a_worker_tells_inspect_and_flower_its_statistics(
    cluster: Cluster, app: WorkersApp
) -> None:
    with cluster.worker():
        inspect = app.control.inspect(timeout=20, limit=1)
        wait_until(inspect.ping, 60, "the worker answers")
        answers: Any = inspect.stats()
    (stats,) = answers.values()
    assert stats["broker"]["transport"] == "redis"
    assert stats["pool"]["max-concurrency"] == 4
