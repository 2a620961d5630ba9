"""Budgets: how many calls a client has left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import formatdate

from workers.sandbox.errors import Refused


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

    def left(self, key: tuple[str, str], *, limit: int, now: float) -> int:
        """How many calls `key` has left before its window ends."""
        window = self._windows.get(key)
        return limit if window is None or now >= window.ends else max(0, limit - window.spent)

    def spend(self, key: tuple[str, str], *, limit: int, seconds: float, now: float) -> float:
        """Charge one call to `key`: 0, or the end of the window when nothing is left of it."""
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = _Window(ends=now + seconds)
        if window.spent >= limit:
            return window.ends
        window.spent += 1
        return 0.0


def too_many_requests(*, until: float, now: float, style: str) -> Refused:
    """429 whose `Retry-After` is never too early: seconds and dates are rounded up."""
    if style == "date":
        retry_after = formatdate(math.ceil(until), usegmt=True)
    else:
        retry_after = str(max(1, math.ceil(until - now)))
    message = "Rate limit exceeded the maximum"
    return Refused(429, "too.many.requests", message, headers={"Retry-After": retry_after})
