"""How much a receiver has in hand at once, so that its memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class Full(Exception):
    """Raised where there is no room for more."""


@dataclass
class Room:
    """Room for so many requests, and for so many bytes of their bodies together."""

    requests: int
    size: int

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give room for one request in the block. Raises `Full`."""
        if not self.requests:
            raise Full
        self.requests -= 1
        share = Share(self)
        try:
            yield share
        finally:
            self.requests += 1
            self.size += share.taken


@dataclass
class Share:
    """The part of a room that one request has taken, in bytes."""

    room: Room
    taken: int = 0

    def take(self, count: int) -> None:
        """Take room for so many bytes more. Raises `Full`."""
        if count > self.room.size:
            raise Full
        self.room.size -= count
        self.taken += count
