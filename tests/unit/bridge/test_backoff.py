"""How long is waited after failures: a table."""

from __future__ import annotations

from random import Random

import pytest

from workers.bridge.state.backoff import Waits

SHORT = Waits(first=0.5, longest=8)


@pytest.mark.parametrize(
    ("waits", "failures", "retry_after", "least", "most"),
    [
        (Waits(), 1, None, 0.5, 1),
        (Waits(), 2, None, 1, 2),
        (Waits(), 3, None, 2, 4),
        (Waits(), 6, None, 16, 32),
        (Waits(), 7, None, 30, 60),
        (Waits(), 100, None, 30, 60),
        (Waits(), 100_000, None, 30, 60),
        (Waits(), 1, 0, 0.5, 1),
        (Waits(), 1, 20, 20, 20),
        (Waits(), 100, 20, 30, 60),
        (Waits(), 1, 3_600, 3_600, 3_600),
        (Waits(), 1, 10**9, 86_400, 86_400),
        (SHORT, 1, None, 0.25, 0.5),
        (SHORT, 5, None, 4, 8),
        (SHORT, 50, None, 4, 8),
    ],
)
def test_waits_double_up_to_the_longest_and_are_as_long_as_was_asked(
    waits: Waits, failures: int, retry_after: float | None, least: float, most: float
) -> None:
    found = [waits.after(failures, Random(seed), retry_after) for seed in range(200)]
    assert least <= min(found)
    assert max(found) <= most
    assert (max(found) - min(found)) >= (most - least) * 0.8
