"""What happens by itself as time passes: jobs that end, chats that go on."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[float], None]

#: How long actions may hold up everything else at a stretch, by the clock.
STRETCH_SECONDS = 0.05


class Timeline:
    """Actions in the order of their time, run when somebody looks at the clock.

    Nothing runs between two requests, and nobody could see the difference. An action gets
    the moment it was due and may schedule others.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._due: list[tuple[float, int, Action]] = []

    def schedule(self, at: float, action: Action) -> None:
        """Run `action` once the clock has reached `at` (epoch seconds)."""
        heapq.heappush(self._due, (at, next(self._order), action))

    def advance(self) -> float:
        """Run everything that is due and return the clock's time, in epoch seconds.

        What would take longer than a stretch is left to the next look.
        """
        now = self._clock()
        while self._due and self._due[0][0] <= now and self._clock() - now < STRETCH_SECONDS:
            at, _, action = heapq.heappop(self._due)
            action(at)
        return now
