"""A look at a running system: what waits where, and at which rate it may start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workers.app import Services
from workers.priority import lists
from workers.rates import DEFAULT_QUEUE, QUEUES, tenant_queue
from workers.store import key
from workers.transport.claims import delayed

LEASES = key("leases")



@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """One queue: messages waiting in it, and its rate in messages per second (None: no limit)."""

    name: str
    waiting: int
    rate: float | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """A system at one moment; `held` counts the messages that workers have taken."""

    queues: tuple[QueueStatus, ...]
    held: int
    dead_letters: int

    @property
    def idle(self) -> bool:
        """Whether no message waits and none is held."""
        return not self.held and not any(queue.waiting for queue in self.queues)


def look(services: Services) -> Status:
    """Return the status of the system that `services` belong to."""
    names = [tenant_queue(kind, tenant) for tenant in services.tenants for kind in QUEUES]
    names.append(DEFAULT_QUEUE)
    with services.store.redis.pipeline(transaction=True) as transaction:
        for name in names:
            for each in lists(name):
                transaction.llen(each)
            transaction.zcard(delayed(name))
        transaction.zcard(LEASES)
        *lengths, held = transaction.execute()
    return Status(
        queues=tuple(_queues(services, names, lengths)),
        held=held,
        dead_letters=services.dead_letters.count(),
    )


def _queues(services: Services, names: list[str], lengths: list[Any]) -> Iterable[QueueStatus]:
    each = len(lists("")) + 1
    for place, name in enumerate(names):
        yield QueueStatus(
            name=name,
            waiting=sum(lengths[place * each : (place + 1) * each]),
            rate=None if name == DEFAULT_QUEUE else services.settings.rate(name),
        )
