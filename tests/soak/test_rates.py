"""A backlog uses the rate of its queue to the full, on a machine with nothing else to do."""

from __future__ import annotations

import pytest

from tests.acceptance.test_rates import MEASURED, Round, achieved, rounds

__all__ = ("rounds",)

USED = 0.99


@pytest.mark.parametrize("queue", MEASURED)
def test_a_backlog_uses_the_rate_to_the_full(rounds: list[Round], queue: str) -> None:
    rate = MEASURED[queue]
    assert max(achieved(each[queue], rate) for each in rounds) >= USED * rate
