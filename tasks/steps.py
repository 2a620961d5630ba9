"""The steps of a saga: what an operation has done so far, kept with it from attempt to attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tasks.compact_json import Json


class Steps(Protocol):
    """Keeps what an operation's steps came to, in its ledger entry."""

    def done(self) -> Mapping[str, Json]:
        """Return the result of each step that has been noted, by its name."""
        ...

    def note(self, name: str, result: Json) -> None:
        """Keep the result of a step. No personal data.

        Raises `Postponed` where another run has taken the operation over.
        """
        ...

    def reserve(self, resource: str) -> None:
        """Keep `resource` for this operation until it has ended, through all that it waits for.

        Raises `Postponed` where another operation that has not ended keeps it. A lock is held by an
        attempt; a reservation outlives it.
        """
        ...


@dataclass(frozen=True)
class Unshared:
    """Implements `Steps` for an operation that nobody else works on: kept in memory."""

    _done: dict[str, Json] = field(default_factory=dict)

    def done(self) -> Mapping[str, Json]:
        return dict(self._done)

    def note(self, name: str, result: Json) -> None:
        self._done[name] = result

    def reserve(self, resource: str) -> None:
        """Do nothing: there is nobody to keep `resource` from."""
