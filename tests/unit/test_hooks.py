"""Hooks: whatever their URL does, the caller only learns how it answered."""

from __future__ import annotations

import pytest

from tasks.apis.wire import Wire
from workers.outside.hooks import announce


@pytest.mark.parametrize(
    "url", ["http://a..b/x", f"http://{'a' * 64}.example/x", "http://127.0.0.1:1/x"]
)
def test_a_hook_that_cannot_be_reached_has_not_answered_and_raises_nothing(url: str) -> None:
    wire = Wire(sleep=lambda _: None)
    assert announce(wire, [url], {"profile_id": "p-1"}, "c-1") == ["no answer"]
