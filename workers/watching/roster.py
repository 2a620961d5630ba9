"""The workers of the cluster, as `renew_leases.lua` has heard of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from workers.store import Store, key

WORKERS, ALIVE = key("workers"), key("alive")

#: Seconds without a sign of life after which a worker is forgotten.
FORGOTTEN = 3_600.0


@dataclass(frozen=True, kw_only=True)
class WorkerStatus:
    """A worker: the queues it reads, its slots and how many messages it holds.

    `silent` is in seconds since it was last heard of; it is `alive` for as long as a lease lasts.
    """

    name: str
    queues: tuple[str, ...]
    slots: int
    held: int
    silent: float
    alive: bool


def roster(store: Store, lease: float, now: float) -> tuple[WorkerStatus, ...]:
    """Return the workers by name, at `now` by the clock of Redis; forget those that are long gone.

    One that is not alive is left out where a worker of the same name has taken its place.
    """
    with store.redis.pipeline(transaction=True) as transaction:
        transaction.hgetall(WORKERS)
        transaction.zrange(ALIVE, 0, -1, withscores=True)
        about, heard = transaction.execute()
    silent = {worker: max(0.0, now - at / 1000) for worker, at in heard}
    _forget(store, [worker for worker in about if silent.get(worker, FORGOTTEN) >= FORGOTTEN])
    found = [
        _status({"name": worker.decode(), **json.loads(facts)}, silent[worker], lease)
        for worker, facts in about.items()
        if silent.get(worker, FORGOTTEN) < FORGOTTEN
    ]
    names = {each.name for each in found if each.alive}
    kept = [each for each in found if each.alive or each.name not in names]
    return tuple(sorted(kept, key=lambda each: (not each.alive, each.name)))


def _status(about: dict[str, Any], silent: float, lease: float) -> WorkerStatus:
    return WorkerStatus(
        name=about["name"],
        queues=tuple(about.get("queues", ())),
        slots=about.get("slots", 0),
        held=about.get("held", 0),
        silent=silent,
        alive=silent <= lease,
    )


def _forget(store: Store, workers: list[bytes]) -> None:
    if workers:
        with store.redis.pipeline(transaction=True) as transaction:
            transaction.hdel(WORKERS, *workers)
            transaction.zrem(ALIVE, *workers)
            transaction.execute()
