"""Messages that call no API, so that what is measured is the claim, and when they were claimed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from redis import Redis

from tests.support.raw_messages import raw

#: The options of a worker that knows the task.
OPTIONS = ("--include", "tests.support.stamp_task")

TASK = "stamp"


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A message that has run: its name, its queue, and when it was claimed (Redis clock)."""

    name: str
    queue: str
    at: float


def stamps(redis: Redis) -> list[Stamp]:
    """Return what has been claimed, in the order of the claims."""
    told: Any = redis.lrange("stamps", 0, -1)
    found = [Stamp(name=n, queue=q, at=at) for n, q, at in map(json.loads, told)]
    return sorted(found, key=lambda each: each.at)


def message(name: str, *, seconds: float = 0.0, **headers: Any) -> bytes:
    """Return a message for the task, as it stands in a list: busy for so many `seconds`."""
    body = [[], {"name": name, "seconds": seconds}, {}]
    return raw(body, headers={"task": TASK, "id": str(uuid4()), **headers})


def put(redis: Redis, name: str, messages: Iterable[bytes]) -> None:
    """Put messages into the list `name`, in their order."""
    with redis.pipeline(transaction=False) as pipeline:
        for each in messages:
            pipeline.lpush(name, each)
        pipeline.execute()
