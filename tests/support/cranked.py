"""A hand-cranked worker: takes one message from a queue and runs it through Celery's own tracer.

Nothing waits: a message that was put back shows how long it would have waited, and is taken again
by the next turn. What a pause, a rate or a budget would hold back is cleared between turns.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celery.app.trace import trace_task
from celery.result import denied_join_result

from workers.app import WorkersApp
from workers.transport.claims import Claimed, Settlement


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
    waits: dict[str, float] = field(default_factory=dict)

    def send(self, task: str, arguments: Mapping[str, Any], queue: str, **options: Any) -> str:
        """Send a message as any stock client would, and return its id."""
        client = self.app.services.producer.app
        return str(client.send_task(task, kwargs=dict(arguments), queue=queue, **options).id)

    def crank(self, queue: str) -> Turn | None:
        """Claim and carry out the next message of `queue`; None where there is none."""
        services = self.app.services
        question = services.question([queue])
        assert question is not None
        claimed = services.claims.claim(question)
        if not isinstance(claimed, Claimed):
            return None
        turn = self._deliver(claimed)
        self.turns.append(turn)
        return turn

    def drain(self, *queues: str, turns: int = 50) -> list[Turn]:
        """Deliver until the queues are empty, and return the turns it took."""
        made: list[Turn] = []
        self._let_time_pass()
        while delivered := [turn for queue in queues if (turn := self.crank(queue))]:
            made += delivered
            assert len(made) <= turns, "the message goes round and round"
            self._let_time_pass()
        return made

    def _deliver(self, claimed: Claimed) -> Turn:
        envelope = json.loads(claimed.raw)
        args, kwargs, embed = json.loads(base64.b64decode(envelope["body"]))
        headers = envelope["headers"]
        request = {
            **headers,
            **embed,
            "args": args,
            "kwargs": kwargs,
            "delivery_info": {"routing_key": claimed.queue, "exchange": ""},
            "properties": {**envelope["properties"], "delivery_tag": claimed.tag},
            "correlation_id": envelope["properties"].get("correlation_id"),
            "hostname": "cranked",
        }
        task = self.app.tasks[headers["task"]]
        with denied_join_result():  # as in every worker
            traced = trace_task(task, headers["id"], args, kwargs, request=request, app=self.app)
        state = traced.info.state if traced.info else "SUCCESS"
        waited = self.waits.pop(headers["id"], 0.0)
        if state == "RETRY" and traced.info:
            self.waits[headers["id"]] = float(traced.info.retval.when)
        self._settle(claimed, self.waits.get(headers["id"]))
        return Turn(state=state, result=traced.retval, waited=waited)

    def _settle(self, claimed: Claimed, wait: float | None) -> None:
        """Do what the worker's request does with the claim."""
        settlement: Settlement = ("end", claimed.tag, None)
        if wait is not None:
            settlement = ("return", claimed.tag, wait)
        self.app.services.claims.settle([settlement])

    def _let_time_pass(self) -> None:
        """Let what is delayed become due, and every pause and rate be over."""
        redis: Any = self.app.services.store.redis
        for held in ("gw:pause:*", "gw:rate:*", "gw:budget:*", "gw:window:*"):
            for name in redis.scan_iter(held):
                redis.delete(name)
        for delayed in redis.scan_iter("gw:delayed:*"):
            for tag in redis.zrange(delayed, 0, -1):
                redis.zadd(delayed, {tag: 0})
