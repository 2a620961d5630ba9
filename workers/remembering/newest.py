"""Newest wins: the moment of the newest value written, per key of a resource."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tasks.refusals import kept_attribute
from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class NewestInRedis:
    """Implements `Newest` for one attempt.

    `first_at` (epoch seconds of the operation's first claim) stands in for a missing moment;
    `keep` is how many seconds a resource is remembered. The caller holds the resource's lock.
    """

    store: Store
    tenant: str
    first_at: float
    keep: int

    def outdated(
        self, resource: str, keys: Collection[str], occurred_at: datetime | None
    ) -> frozenset[str]:
        names = list(keys)
        if not names:
            return frozenset()
        moment = self._moment(occurred_at)
        known = self.store.redis.hmget(self._key(resource), list(map(_encoded, names)))
        return frozenset(
            name
            for name, newest in zip(names, known, strict=True)
            if newest is not None and float(newest) > moment
        )

    def written(self, resource: str, keys: Collection[str], occurred_at: datetime | None) -> None:
        if not keys:
            return
        moment = repr(self._moment(occurred_at))
        with self.store.redis.pipeline(transaction=True) as transaction:
            transaction.hset(
                self._key(resource), mapping=dict.fromkeys(map(_encoded, keys), moment)
            )
            transaction.expire(self._key(resource), self.keep)
            transaction.execute()

    def _moment(self, occurred_at: datetime | None) -> float:
        return occurred_at.timestamp() if occurred_at else self.first_at

    def _key(self, resource: str) -> str:
        return key("newest", self.tenant, resource)


def _encoded(name: str) -> bytes:
    """A vendor's name may hold what UTF-8 cannot, and a producer's an address."""
    return kept_attribute(name).encode(errors="backslashreplace")
