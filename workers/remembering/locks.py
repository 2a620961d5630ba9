"""Locks on resources, so that two operations on one of them run one at a time over the cluster.

An operation's own are taken with its claim, by `claim_operation.lua`, and freed with its message's,
by `settle_claims.lua`; `Locks` takes and frees others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tasks.errors import Postponed
from workers.store import Store, key

#: Seconds after which a message comes back to a lock that was busy.
BUSY_WAIT = 0.5

#: Seconds after which the lock of a message is forgotten, should its holder never release it.
FORGET_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class Locks:
    """Locks in Redis. A message holds them for as long as it is under its lease.

    One that is under no lease holds them for `lease` seconds.
    """

    store: Store
    lease: float

    @contextmanager
    def held(self, tenant: str, resources: Iterable[str], tag: str = "") -> Iterator[None]:
        """Hold all of `resources` in the block, for the message claimed as `tag`.

        Raises `Postponed` where one is busy. They are taken in one order everywhere, and none is
        waited for: no deadlock can arise.
        """
        holder = tag or f"~{uuid4().hex}"
        life = FORGET_SECONDS if tag else self.lease
        with ExitStack() as taken:
            for resource in sorted(set(resources)):
                name = lock_key(tenant, resource)
                if not self.store.run("take_lock", [name], [holder, round(life * 1000)]):
                    raise in_use(resource)
                taken.callback(self.store.run, "release_lock", [name], [holder])
            yield


def lock_key(tenant: str, resource: str) -> str:
    """Return the key of the lock on a tenant's resource."""
    return key("lock", tenant, resource)


def in_use(resource: str) -> Postponed:
    """Return what is raised where the lock on `resource` is busy; its id is not shown."""
    return Postponed(f"{resource.partition(':')[0]} is in use", BUSY_WAIT, kind="lock")
