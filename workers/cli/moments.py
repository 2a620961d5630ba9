"""Moments as people read them."""

from __future__ import annotations

from datetime import datetime

_SPANS = (("d", 86_400), ("h", 3_600), ("min", 60))


def local_time(epoch_seconds: float) -> str:
    """Return a moment in the zone of this machine: `2026-01-31 12:00:00`."""
    return datetime.fromtimestamp(epoch_seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """Return a time as people say it, in its largest unit: `40 s`, `3 min`, `2 h`."""
    for unit, length in _SPANS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"
