"""Admission: the terms on which the messages of a queue may start.

A queue has a rate over all workers of the cluster, and its messages call outside systems that have
budgets. `claim_message.lua` reads the terms; what operators set for the whole cluster comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workers.limits.priority import LEFT_TO_OTHERS, Class, class_of
from workers.limits.rates import DEFAULT_QUEUE, split_queue

#: Calls that are reserved when a message of the queue is claimed: those of its smallest message.
#: What it makes more comes later.
USUAL_CALLS: Mapping[str, Mapping[str, int]] = {
    "attributes": {"genesys": 3},
    "merge": {"genesys": 5},
    # Whether one asks Genesys, too, is not known before it is read.
    "sync": {"cxone": 1, "cognigy": 1},
    "deploy": {"genesys": 3},
    "redact": {"genesys": 4},
    "sweep": {"genesys": 1},
}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one message of a queue takes of a system's budget of `limit` calls a minute."""

    name: str
    calls: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms of one queue; `rate` is in messages per second, None without a limit."""

    queue: str
    rate: float | None
    budgets: tuple[Budget, ...] = ()

    @property
    def kind(self) -> Class:
        return class_of(self.queue)

    def as_script_reads(self) -> dict[str, Any]:
        """Return what `claim_message.lua` knows of a queue."""
        others = LEFT_TO_OTHERS[self.kind]
        return {
            "queue": self.queue,
            "tenant": "" if self.queue == DEFAULT_QUEUE else split_queue(self.queue)[1],
            **cell(self.rate),
            "budgets": [[each.name, each.calls, each.limit, others] for each in self.budgets],
        }


def cell(rate: float | None) -> dict[str, int]:
    """Return a rate as scripts count: microseconds between two messages, and how many at once."""
    if rate is None:
        return {"interval": 0, "burst": 1}
    return {"interval": max(1, round(1e6 / rate)), "burst": burst(rate)}


def burst(rate: float) -> int:
    """Return how many messages may start at once: what falls into a tenth of a second, or two.

    A worker that asks a little late still reaches the rate that way.
    """
    return max(2, math.ceil(rate / 10))


def terms_of(
    queue: str,
    rate_of: Callable[[str], float],
    limits: Mapping[str, Mapping[str, int]],
) -> Terms:
    """Return the terms of `queue`; `limits` are calls a minute by tenant and system."""
    kind, tenant = split_queue(queue)
    if queue == DEFAULT_QUEUE:
        return Terms(queue=queue, rate=None)
    usual, limited = USUAL_CALLS.get(kind, {}), limits.get(tenant, {})
    return Terms(queue=queue, rate=rate_of(queue), budgets=_budgets(tenant, usual, limited))


def _budgets(
    tenant: str, usual: Mapping[str, int], limits: Mapping[str, int]
) -> tuple[Budget, ...]:
    return tuple(
        Budget(
            name=budget_name(tenant, system), calls=min(calls, limits[system]), limit=limits[system]
        )
        for system, calls in usual.items()
        if system in limits
    )


def budget_name(tenant: str, system: str) -> str:
    """Return the name under which scripts know the budget of a tenant's outside system."""
    return f"{tenant}:{system}"


def known(queues: Collection[str], terms: Mapping[str, Terms]) -> list[Terms]:
    """Return the terms of those of `queues` that hold work."""
    return [terms[queue] for queue in queues if queue in terms]
