"""The rate at which one record of an outside system may be written."""

from __future__ import annotations

from typing import Protocol


class RecordRate(Protocol):
    """A token bucket for each record of one system of a tenant."""

    def take(self, record: str) -> None:
        """Charge one write of `record`, or raise `Postponed` until there is room for it."""
        ...
