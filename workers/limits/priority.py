"""Which messages go before others: classes of queues, and the lists that Kombu keeps of a queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workers.limits.rates import DEFAULT_QUEUE, split_queue

Class = Literal["live", "normal", "batch"]

#: The most urgent first.
CLASSES: tuple[Class, ...] = ("live", "normal", "batch")

#: What is not listed is of class normal. On the default queue messages are only passed on.
_CLASS_OF: dict[str, Class] = {
    DEFAULT_QUEUE: "live",
    "attributes": "live",
    "redact": "batch",
    "sweep": "batch",
}

#: A class's share of a budget that is left to others while a window is young.
LEFT_TO_OTHERS: dict[Class, float] = {"live": 0.0, "normal": 0.1, "batch": 0.2}

#: A class's share of a worker's slots that it leaves free for others.
LEFT_FREE: dict[Class, float] = {"live": 0.0, "normal": 0.125, "batch": 0.25}

#: Kombu's Redis transport keeps a queue in one list per priority.
_SUFFIXES = ("", "\x06\x163", "\x06\x166", "\x06\x169")


def class_of(queue: str) -> Class:
    """Return the class of the queue named `queue`."""
    return _CLASS_OF.get(split_queue(queue)[0], "normal")


def lists(queue: str) -> list[str]:
    """Return the Redis lists of `queue`, the most urgent first."""
    return [queue + suffix for suffix in _SUFFIXES]


def offered(slots: int, free: int) -> int:
    """Return how many of `CLASSES` a worker with so many of its `slots` free asks for."""
    return sum(free > int(slots * LEFT_FREE[each]) for each in CLASSES)


def in_order(queues: Sequence[str]) -> list[str]:
    """Return `queues` with those of the most urgent class first."""
    return sorted(queues, key=lambda queue: CLASSES.index(class_of(queue)))
