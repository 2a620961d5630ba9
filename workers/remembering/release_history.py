"""The release that each of ours has replaced, and our last drafts: in Redis, without expiry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.apis.deployments import Release
from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class HistoryInRedis:
    """Implements `ReleaseHistory` for one tenant.

    A hash per deployment holds releases as `configuration:version`, some fifty bytes for each that
    it was given; another one holds the traces of one draft for each configuration.
    """

    store: Store
    tenant: str

    def before(self, deployment_id: str, release: Release) -> Release | None:
        held: Any = self.store.redis.hget(self._key(deployment_id), str(release))
        return Release.parse(held.decode()) if held else None

    def remember(self, deployment_id: str, release: Release, before: Release) -> None:
        self.store.redis.hset(self._key(deployment_id), str(release), str(before))

    def draft(self, configuration_id: str) -> Mapping[str, str] | None:
        held: Any = self.store.redis.hget(key("drafts", self.tenant), configuration_id)
        return json.loads(held) if held else None

    def remember_draft(self, configuration_id: str, traces: Mapping[str, str]) -> None:
        drafts = key("drafts", self.tenant)
        self.store.redis.hset(drafts, configuration_id, json.dumps(dict(traces)))

    def _key(self, deployment_id: str) -> str:
        return key("before", self.tenant, deployment_id)
