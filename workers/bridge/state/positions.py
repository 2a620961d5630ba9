"""How far each part of what a tenant's bridge hears is on the broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Positions by shard, in Redis without expiry.

    Whatever was sent on a shard before its position, in epoch seconds by the clock of Redis, is on
    the broker. Who writes last counts: an older position than need be makes a gap longer, which is
    harmless.
    """

    store: Store
    tenant: str

    def all(self) -> Mapping[str, float]:
        """Return the position of every shard that has one."""
        held: Any = self.store.redis.hgetall(self._key)
        return {shard.decode(): float(at) for shard, at in held.items()}

    def move(self, shard: str, until: float) -> None:
        """Remember that all that was sent on `shard` before `until` is on the broker."""
        self.store.redis.hset(self._key, shard, repr(until))

    def forget(self, shard: str) -> None:
        """Forget a shard that there is no more."""
        self.store.redis.hdel(self._key, shard)

    @property
    def _key(self) -> str:
        return key("bridge", self.tenant, "positions")
