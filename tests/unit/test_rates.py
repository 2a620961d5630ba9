"""Rates as they are written, and the names of queues."""

from __future__ import annotations

import pytest

from workers.limits.rates import (
    format_achieved,
    format_rate,
    parse_rate,
    parse_rates,
    split_queue,
    tenant_queue,
)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("2/s", 2.0), ("30/m", 0.5), ("1.5/s", 1.5), ("36/h", 0.01), (" 2/s ", 2.0)],
)
def test_a_rate_is_messages_per_second(text: str, per_second: float) -> None:
    assert parse_rate(text) == pytest.approx(per_second)


@pytest.mark.parametrize("text", ["", "2", "2/d", "-1/s", "0/s", "0.0/m", "1e3/s", "2/s/s", "/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number above 0 and a unit"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["2/s", "30/m", "100/h", "100/s", "10/m"])
def test_a_rate_is_shown_as_it_is_written(text: str) -> None:
    assert format_rate(parse_rate(text)) == text


@pytest.mark.parametrize(
    ("rate", "said"), [(2.0, "0.5/s"), (0.5, "28.5/m"), (1 / 3600, "1710/h"), (None, "0.5/s")]
)
def test_what_was_achieved_is_told_in_the_unit_of_the_rate(rate: float | None, said: str) -> None:
    assert format_achieved(0.475, rate) == said


def test_rates_of_several_queues_are_separated_by_commas() -> None:
    assert parse_rates("merge=2/s, sync.acme=30/m,") == {"merge": 2.0, "sync.acme": 0.5}


@pytest.mark.parametrize("tenant", ["default", "acme"])
def test_a_queue_tells_its_kind_and_tenant(tenant: str) -> None:
    assert split_queue(tenant_queue("merge", tenant)) == ("merge", tenant)
