"""What seldom changes is read once and remembered by the process for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Remembered(Generic[T]):
    """Values by key, each for `life` seconds since it was read.

    Threads that ask for the same key at the same time may all read it; what is in force on the
    other side may have changed for as long as `life`.
    """

    life: float
    clock: Callable[[], float] = time.monotonic
    _known: dict[Hashable, tuple[float, T]] = field(default_factory=dict, repr=False)

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the value of `key`, by `read` where it is unknown or too old."""
        known = self._known.get(key)
        if known and self.clock() < known[0] + self.life:
            return known[1]
        value = read()
        self._known[key] = (self.clock(), value)
        return value
