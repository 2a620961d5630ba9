"""Log events that strangers can cause by the thousand, told once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from workers.watching.telemetry import log

#: Seconds between two lines about the same.
PERIOD = 60.0


class Seldom:
    """Tells an event with certain fields at once, and again after a while at the earliest.

    The next line says how many were `left_out` before it. The fields must be few in number, as
    each combination is remembered; `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[str, ...], float] = {}
        self._left_out: dict[tuple[str, ...], int] = {}

    def info(self, event: str, **fields: str) -> None:
        """Tell `event`, or leave it out."""
        now, kind = self._clock(), (event, *fields.values())
        if now - self._told.get(kind, -PERIOD) < PERIOD:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._told[kind] = now
        left_out = self._left_out.pop(kind, 0)
        log.info(event, **fields, **({"left_out": left_out} if left_out else {}))
