"""Which profile stands for one that had expired, in Redis for all workers."""

from __future__ import annotations

from dataclasses import dataclass

from workers.store import Store, key

#: Seconds: a little longer than the 30 days without use after which a profile expires.
KEEP = 31 * 86_400


@dataclass(frozen=True, kw_only=True)
class SuccessorsInRedis:
    """Implements `Successors` for one tenant; each is kept for `KEEP` since it was asked for."""

    store: Store
    tenant: str

    def of(self, profile_id: str) -> str | None:
        found = self.store.redis.getex(self._key(profile_id), ex=KEEP)
        return found.decode() if isinstance(found, bytes) else None

    def remember(self, profile_id: str, successor_id: str) -> None:
        self.store.redis.set(self._key(profile_id), successor_id, ex=KEEP)

    def _key(self, profile_id: str) -> str:
        return key("successor", self.tenant, profile_id)
