"""Locks on resources, so that two operations on one of them run one at a time over the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from redis.exceptions import LockError
from redis.lock import Lock

from tasks.errors import Postponed
from workers.store import Store, key

#: Seconds after which a message comes back to a lock that was busy.
BUSY_WAIT = 0.5


@dataclass(frozen=True, kw_only=True)
class Locks:
    """Locks in Redis, each with a lease (seconds) that a crashed holder leaves behind at most."""

    store: Store
    lease: float

    @contextmanager
    def held(self, tenant: str, resources: Iterable[str]) -> Iterator[None]:
        """Hold all of `resources` in the block; raise `Postponed` where one is busy.

        They are taken in one order everywhere, and none is waited for: no deadlock can arise.
        """
        with ExitStack() as taken:
            for resource in sorted(set(resources)):
                lock = self.store.redis.lock(
                    key("lock", tenant, resource), timeout=self.lease, blocking=False
                )
                if not lock.acquire():
                    raise Postponed(f"{resource.partition(':')[0]} is in use", BUSY_WAIT)
                taken.callback(_release, lock)
            yield


def _release(lock: Lock) -> None:
    try:
        lock.release()
    except LockError:
        return  # the lease ran out, and somebody else may hold it by now
