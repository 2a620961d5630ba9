"""Moments as people read them."""

from __future__ import annotations

from datetime import datetime


def local_time(epoch_seconds: float) -> str:
    """Return a moment in the zone of this machine: `2026-01-31 12:00:00`."""
    return datetime.fromtimestamp(epoch_seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
