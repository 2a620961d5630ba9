"""What came in the last minute: how much of it, and how late it was."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import accumulate

#: Whole seconds that count, besides the one that is going on.
SECONDS = 60

#: Lags are kept by size: equal ones are those that differ by less than this factor, or are shorter.
FINENESS, SHORTEST = 1.05, 0.001


class LastMinute:
    """Lags of the last minute, within a few percent; its memory does not grow with their number."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = int(clock())
        self._seconds: deque[tuple[int, Counter[int]]] = deque()

    def add(self, lag: float) -> None:
        """Count one thing that came so many seconds late."""
        self._current()[_size(lag)] += 1

    def rate(self) -> float:
        """Return how many a second came in the last whole minute, or since it is looked at."""
        now = int(self._clock())
        count = sum(lags.total() for second, lags in self._kept() if second < now)
        return count / min(SECONDS, max(1, now - self._since))

    def lags(self, *fractions: float) -> tuple[float, ...] | None:
        """Return the lags that these fractions of what came do not exceed; None where none came."""
        lags = sorted(sum((lags for _, lags in self._kept()), Counter[int]()).items())
        return tuple(_reached(lags, each) for each in fractions) if lags else None

    def _current(self) -> Counter[int]:
        now = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append((now, Counter()))
        return self._kept()[-1][1]

    def _kept(self) -> deque[tuple[int, Counter[int]]]:
        oldest = int(self._clock()) - SECONDS
        while self._seconds and self._seconds[0][0] < oldest:
            self._seconds.popleft()
        return self._seconds


def _size(lag: float) -> int:
    return max(0, round(math.log(max(lag, SHORTEST) / SHORTEST, FINENESS)))


def _reached(lags: Sequence[tuple[int, int]], fraction: float) -> float:
    totals = list(accumulate(count for _, count in lags))
    wanted = fraction * totals[-1]
    size = next(size for (size, _), total in zip(lags, totals, strict=True) if total >= wanted)
    return float(SHORTEST * FINENESS**size)
