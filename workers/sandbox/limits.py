"""Budgets: how many calls a client has left."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a client may still do before its window ends; `ends` is epoch seconds."""

    allowed: int
    left: int
    ends: float

    def seconds(self, now: float) -> int:
        """Whole seconds until the window ends: at least 1, and never too few."""
        return max(1, math.ceil(self.ends - now))


@dataclass(slots=True)
class _Window:
    ends: float
    spent: int = 0


class Limits:
    """Fixed windows, each beginning with the first call after the one before has ended.

    A refused call costs nothing. Twice the limit fits around a window's end, as with the
    vendor's own.
    """

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}

    def budget(self, key: tuple[str, str], *, limit: int, seconds: float, now: float) -> Budget:
        """What `key` has left of `limit` calls in windows of so many seconds."""
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            return Budget(allowed=limit, left=limit, ends=now + seconds)
        return Budget(allowed=limit, left=max(0, limit - window.spent), ends=window.ends)

    def spend(self, key: tuple[str, str], *, limit: int, seconds: float, now: float) -> bool:
        """Charge one call to `key`; False when nothing is left of it."""
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = _Window(ends=now + seconds)
        if window.spent >= limit:
            return False
        window.spent += 1
        return True
