"""When messages were sent, claimed and started: `latencies` reads what workers have stamped.

Every process is on one machine, and so is Redis: there is one clock.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from celery.signals import task_prerun
from redis import Redis

#: The header of a message that is to be stamped: when it was sent, in epoch seconds.
SENT = "sent"
KEY = "bench:stamps"


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds since the message was sent; `claimed` is None where the worker does not know it."""

    claimed: float | None
    started: float


def connect(redis_url: str) -> None:
    """Have the workers of this process stamp what they start."""
    redis = Redis.from_url(redis_url)

    @task_prerun.connect(weak=False)
    def _stamp(task: Any, **_: Any) -> None:
        if sent := task.request.get(SENT):
            started = time.time()
            redis.rpush(KEY, json.dumps([sent, task.request.get("claimed"), started]))


def latencies(redis: Redis) -> list[Latency]:
    """Return what has been stamped so far."""
    stamped: Any = redis.lrange(KEY, 0, -1)
    return [
        Latency(claimed=claimed and claimed - sent, started=started - sent)
        for sent, claimed, started in map(json.loads, stamped)
    ]
