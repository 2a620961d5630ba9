"""The release that each of ours has replaced, kept in Redis per deployment, without expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks.apis.deployments import Release
from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class HistoryInRedis:
    """Implements `ReleaseHistory` for one tenant: a hash of releases as `configuration:version`.

    Some fifty bytes are kept for each release that a deployment was given.
    """

    store: Store
    tenant: str

    def before(self, deployment_id: str, release: Release) -> Release | None:
        held: Any = self.store.redis.hget(self._key(deployment_id), str(release))
        return Release.parse(held.decode()) if held else None

    def remember(self, deployment_id: str, release: Release, before: Release) -> None:
        self.store.redis.hset(self._key(deployment_id), str(release), str(before))

    def _key(self, deployment_id: str) -> str:
        return key("before", self.tenant, deployment_id)
