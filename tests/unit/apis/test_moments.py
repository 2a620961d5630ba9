"""Moments as the APIs write them, and as they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tasks.apis.moments import iso, parse_moment

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00.000Z", NOON),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T13:00:00+01:00", NOON),
        ("2026-01-31T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
        ("2026-01-31T12:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_text_is_a_moment_only_with_its_zone(text: str, moment: datetime | None) -> None:
    assert parse_moment(text) == moment


def test_what_is_written_is_read_as_the_same_moment() -> None:
    moment = datetime(2026, 1, 31, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    assert iso(moment) == "2026-01-31T12:30:00.000Z"
    assert parse_moment(iso(moment)) == moment
