"""Budgets: how many calls a client has left."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

#: Seconds that a client's budget is for.
MINUTE = 60.0

#: Whose calls are counted, how many there may be, and in how many seconds.
Quota = tuple[tuple[str, str], int, float]


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


@dataclass(slots=True)
class TokenBuckets:
    """A bucket for each record: full at first, refilled drop by drop.

    Unlike a window it lets no more through around any moment than a burst and what flows in.
    """

    _filled: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, record: str, *, burst: int, per_minute: float, now: float) -> bool:
        """Take one call out of the record's bucket; False when there is less than one in it."""
        level, since = self._filled.get(record, (float(burst), now))
        level = min(burst, level + (now - since) * per_minute / MINUTE)
        taken = level >= 1
        self._filled[record] = (level - taken, now)
        return taken
