"""Moments as events write them: epoch milliseconds or ISO 8601 with a zone, read alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.apis.moments import parse_moment

EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def moment(value: object) -> datetime | None:
    """Return the moment in UTC that `value` means, None where it means none."""
    try:
        if isinstance(value, str):
            found = parse_moment(value)
            return found.astimezone(UTC) if found else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return EPOCH + value * _MILLISECOND
    except (OverflowError, ValueError):
        return None  # before the year 1, after 9999, or no number
    return None


def milliseconds(at: datetime) -> int:
    """Return the epoch milliseconds of a moment; what is shorter is left out."""
    return (at - EPOCH) // _MILLISECOND
