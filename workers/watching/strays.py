"""Queues that hold messages though no tenant of this installation has them: `merge.typo`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from workers.limits.priority import lists
from workers.limits.rates import QUEUES, split_queue
from workers.store import Store
from workers.transport.claims import delayed

#: Keys that are looked at in one step, and in all: a look at a large database stays a short one.
STEP, MOST = 1_000, 200_000


def strays(store: Store, known: Collection[str]) -> tuple[list[str], bool]:
    """Return the queues whose names look like ours and are not `known`, and whether that is all.

    It is not where Redis has more than `MOST` keys.
    """
    names: set[str] = set()
    for kind, pattern in (("list", None), ("zset", delayed("*"))):
        for cursor, keys in _steps(store, kind, pattern):
            names.update(_queue(name) for name in keys)
            complete = cursor == 0
    ours = {name for name in names if split_queue(name)[0] in QUEUES}
    return sorted(ours - set(known)), complete


def _steps(store: Store, kind: str, pattern: str | None) -> Iterator[tuple[int, list[bytes]]]:
    cursor = 0
    for _ in range(0, MOST, STEP):
        found: Any = store.redis.scan(cursor, match=pattern, count=STEP, _type=kind)
        cursor = found[0]
        yield found
        if cursor == 0:
            return


def _queue(name: bytes) -> str:
    """Return the queue that a list or a delayed set belongs to."""
    text = name.decode(errors="backslashreplace").removeprefix(delayed(""))
    for suffix in lists(""):
        text = text.removesuffix(suffix)
    return text
