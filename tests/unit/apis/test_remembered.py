"""What is read once is remembered by its key for a while."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tasks.apis.remembered import Remembered


@pytest.fixture
def reads() -> Iterator[int]:
    return count(1)


def test_a_value_is_read_again_when_its_life_is_over(reads: Iterator[int]) -> None:
    now = [100.0]
    remembered: Remembered[int] = Remembered(life=10.0, clock=lambda: now[0])
    found = []
    for moment in (100.0, 109.9, 110.0, 119.9, 120.0):
        now[0] = moment
        found.append(remembered.get("key", lambda: next(reads)))
    assert found == [1, 1, 2, 2, 3]


def test_each_key_has_a_value_of_its_own(reads: Iterator[int]) -> None:
    remembered: Remembered[int] = Remembered(life=10.0)
    assert [remembered.get(key, lambda: next(reads)) for key in "aba"] == [1, 2, 1]


def test_an_error_is_not_remembered(reads: Iterator[int]) -> None:
    def fail() -> int:
        raise LookupError

    remembered: Remembered[int] = Remembered(life=10.0)
    with pytest.raises(LookupError):
        remembered.get("key", fail)
    assert remembered.get("key", lambda: next(reads)) == 1


def test_nothing_that_is_remembered_is_shown(reads: Iterator[int]) -> None:
    remembered: Remembered[str] = Remembered(life=10.0)
    remembered.get("key", lambda: f"canary-{next(reads)}")
    assert "canary" not in repr(remembered)
