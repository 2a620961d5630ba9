"""A hand-cranked worker: takes one message from a queue and runs it through Celery's own tracer.

Nothing waits: a message that was put back shows how long it would have waited, and is taken again
by the next turn. What a pause or a ticket would hold back is cleared between turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from celery.app.trace import trace_task
from celery.result import denied_join_result
from kombu import Queue

from workers.app import WorkersApp


@dataclass(kw_only=True)
class Turn:
    """What one delivery came to: Celery's state, and how long its message waited before it."""

    state: str
    result: Any
    waited: float


@dataclass(kw_only=True)
class CrankedWorker:
    """Delivers the messages of `app`'s broker one at a time."""

    app: WorkersApp
    turns: list[Turn] = field(default_factory=list)

    def send(self, task: str, arguments: Mapping[str, Any], queue: str, **options: Any) -> str:
        """Send a message as any stock client would, and return its id."""
        client = self.app.services.producer.app
        return str(client.send_task(task, kwargs=dict(arguments), queue=queue, **options).id)

    def crank(self, queue: str) -> Turn | None:
        """Deliver the next message of `queue`; None where there is none."""
        with self.app.connection_for_read() as connection, connection.channel() as channel:
            message = Queue(queue, channel=channel).get()
            if message is None:
                return None
            turn = self._deliver(message, queue)
            message.ack()
        self.turns.append(turn)
        return turn

    def drain(self, *queues: str, turns: int = 50) -> list[Turn]:
        """Deliver until the queues are empty, and return the turns it took."""
        made: list[Turn] = []
        while delivered := [turn for queue in queues if (turn := self.crank(queue))]:
            made += delivered
            assert len(made) <= turns, "the message goes round and round"
            self._let_time_pass()
        return made

    def _deliver(self, message: Any, queue: str) -> Turn:
        arrived = datetime.now(UTC)
        args, kwargs, embed = message.decode()
        headers = message.headers
        request = {
            **headers,
            **embed,
            "args": args,
            "kwargs": kwargs,
            "delivery_info": {"routing_key": queue, "exchange": ""},
            "correlation_id": message.properties.get("correlation_id"),
            "hostname": "cranked",
        }
        task = self.app.tasks[headers["task"]]
        with denied_join_result():  # as in every worker
            traced = trace_task(task, headers["id"], args, kwargs, request=request, app=self.app)
        state = traced.info.state if traced.info else "SUCCESS"
        eta = headers.get("eta")
        waited = (datetime.fromisoformat(eta) - arrived).total_seconds() if eta else 0.0
        return Turn(state=state, result=traced.retval, waited=waited)

    def _let_time_pass(self) -> None:
        redis = self.app.services.store.redis
        for held in ("gw:pause:*", "gw:ticket:*", "gw:rate:*"):
            for name in redis.scan_iter(held):
                redis.delete(name)
