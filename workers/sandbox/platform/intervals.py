"""Spans of time as queries name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.wire import instant

DAY = timedelta(days=1)
#: A span of time, from its start up to its end.
Interval = tuple[datetime, datetime]


def interval(text: str) -> Interval:
    """Read `2025-01-15T00:00:00Z/2025-01-16T00:00:00Z`. Raises Refused (400)."""
    start, _, end = text.partition("/")
    try:
        span = instant(start), instant(end)
    except ValueError:
        raise _strange() from None
    if span[0] >= span[1]:
        raise _strange()
    return span


def touched_days(span: Interval) -> Interval:
    """From the beginning of the first day (UTC) that a span touches to the end of the last."""
    first, last = (each.astimezone(UTC) for each in (span[0], span[1] - timedelta.resolution))
    return _midnight(first), _midnight(last) + DAY


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _strange() -> Refused:
    return bad_request("interval: must be start/end, two ISO 8601 date-times, the earlier first")
