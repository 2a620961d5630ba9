"""Which profile has taken the place of one that had expired."""

from __future__ import annotations

from typing import Protocol


class Successors(Protocol):
    """Remembers, for the whole cluster, the ids of profiles that were made for others."""

    def of(self, profile_id: str) -> str | None:
        """Return the id of the profile that was made in the place of this one, None if none was."""
        ...

    def remember(self, profile_id: str, successor_id: str) -> None:
        """Let the profile be found under the id of the one that it takes the place of."""
        ...
