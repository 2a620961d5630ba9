"""What operators set for the whole cluster: rates of queues, and pauses of tenants.

It goes before the settings of every worker, from the next claim on, until it is taken back.
`claim_message.lua` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.limits.admission import cell
from workers.store import Store, key

RATES = key("rates")

_QUEUE, _TENANT = "queue:", "tenant:"


@dataclass(frozen=True, kw_only=True)
class RateSet:
    """Messages per second that `by` has set, at an epoch time in seconds."""

    rate: float
    by: str
    at: float


@dataclass(frozen=True, kw_only=True)
class TenantPause:
    """That `by` has paused a tenant, at an epoch time in seconds."""

    by: str
    at: float


@dataclass(frozen=True, kw_only=True)
class InForce:
    """Everything that is set: rates by queue, pauses by tenant."""

    rates: Mapping[str, RateSet]
    pauses: Mapping[str, TenantPause]


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What operators have set, in the Redis of `store`; moments are of its clock."""

    store: Store

    def in_force(self) -> InForce:
        """Return everything that is set."""
        found: Any = self.store.redis.hgetall(RATES)
        facts = {name.decode(): json.loads(value) for name, value in found.items()}
        rates = {
            name.removeprefix(_QUEUE): RateSet(rate=each["rate"], by=each["by"], at=each["at"])
            for name, each in facts.items()
            if name.startswith(_QUEUE)
        }
        pauses = {
            name.removeprefix(_TENANT): TenantPause(**each)
            for name, each in facts.items()
            if name.startswith(_TENANT)
        }
        return InForce(rates=rates, pauses=pauses)

    def set_rates(self, rates: Mapping[str, float], by: str) -> None:
        """Let these queues start so many messages per second."""
        mark = {"by": by, "at": self.store.now()}
        values: Any = {
            _QUEUE + queue: json.dumps({**cell(rate), "rate": rate, **mark})
            for queue, rate in rates.items()
        }
        with self.store.redis.pipeline(transaction=True) as transaction:
            transaction.hset(RATES, mapping=values)
            self._begin_anew(transaction, rates)
            transaction.execute()

    def reset_rates(self, queues: Iterable[str]) -> None:
        """Let these queues, of which there is one at least, go by the settings again."""
        names = list(queues)
        with self.store.redis.pipeline(transaction=True) as transaction:
            transaction.hdel(RATES, *(_QUEUE + queue for queue in names))
            self._begin_anew(transaction, names)
            transaction.execute()

    def _begin_anew(self, transaction: Any, queues: Iterable[str]) -> None:
        """Empty the cells: what counts the old rate's intervals would hold up a faster one.

        A change lets up to a burst start besides.
        """
        transaction.delete(*(key("rate", queue) for queue in queues))

    def pause(self, tenant: str, by: str) -> None:
        """Let no message of the tenant be claimed; what runs ends, and other tenants go on."""
        value = json.dumps({"by": by, "at": self.store.now()})
        self.store.redis.hset(RATES, _TENANT + tenant, value)

    def resume(self, tenant: str) -> None:
        """End the tenant's pause."""
        self.store.redis.hdel(RATES, _TENANT + tenant)
