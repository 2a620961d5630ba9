"""What is remembered of releases beyond the operation that made them.

Which release a deployment had before the one that we gave it is what a rollback goes back to; by
which traces our last draft is known tells it from what others have not published yet.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    def draft(self, configuration_id: str) -> Mapping[str, str] | None:
        """Return the traces of our last draft of the configuration, None if there was none."""
        ...

    def remember_draft(self, configuration_id: str, traces: Mapping[str, str]) -> None:
        """Remember by what our draft is known again."""
        ...


@dataclass(frozen=True)
class HistoryInMemory:
    """Implements `ReleaseHistory` in memory."""

    _before: dict[tuple[str, Release], Release] = field(default_factory=dict)
    _drafts: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def before(self, deployment_id: str, release: Release) -> Release | None:
        return self._before.get((deployment_id, release))

    def remember(self, deployment_id: str, release: Release, before: Release) -> None:
        self._before[deployment_id, release] = before

    def draft(self, configuration_id: str) -> Mapping[str, str] | None:
        return self._drafts.get(configuration_id)

    def remember_draft(self, configuration_id: str, traces: Mapping[str, str]) -> None:
        self._drafts[configuration_id] = traces
