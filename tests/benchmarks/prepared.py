"""Messages as a stock producer puts them on a queue, made by the thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

from celery import Celery
from redis import Redis

_SCRATCH = "bench:scratch"


def messages(
    redis: Redis, url: str, task: str, arguments: Sequence[Mapping[str, Any]], count: int
) -> Iterator[bytes]:
    """Yield `count` messages of `task`, going round `arguments`; each has an id of its own."""
    with Celery("producer", broker=url, set_as_current=False) as producer:
        templates = [_template(redis, producer, task, dict(each)) for each in arguments]
    redis.delete(f"_kombu.binding.{_SCRATCH}")
    for template, own_id in islice(cycle(templates), count):
        yield template.replace(own_id, str(uuid4()).encode())


def _template(
    redis: Redis, producer: Celery, task: str, arguments: dict[str, Any]
) -> tuple[bytes, bytes]:
    sent = producer.send_task(task, kwargs=arguments, queue=_SCRATCH)
    raw: Any = redis.rpop(_SCRATCH)
    return raw, str(sent.id).encode()


def push(redis: Redis, queue: str, prepared: Sequence[bytes]) -> None:
    """Put `prepared` on a queue at once, the first of them at its head."""
    with redis.pipeline(transaction=True) as pipeline:
        for start in range(0, len(prepared), 1000):
            pipeline.lpush(queue, *prepared[start : start + 1000])
        pipeline.execute()
