"""Which release a deployment had before the one that we gave it: what a rollback goes back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tasks.apis.deployments import Release


class ReleaseHistory(Protocol):
    """Remembers, per deployment and release, the release before it."""

    def before(self, deployment_id: str, release: Release) -> Release | None:
        """Return the release that the deployment had before this one, None if we never knew."""
        ...

    def remember(self, deployment_id: str, release: Release, before: Release) -> None:
        """Remember what the deployment has until it is given `release`."""
        ...


@dataclass(frozen=True)
class HistoryInMemory:
    """Implements `ReleaseHistory` in memory."""

    _before: dict[tuple[str, Release], Release] = field(default_factory=dict)

    def before(self, deployment_id: str, release: Release) -> Release | None:
        return self._before.get((deployment_id, release))

    def remember(self, deployment_id: str, release: Release, before: Release) -> None:
        self._before[deployment_id, release] = before
