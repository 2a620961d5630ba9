"""Looking at what a write has done: where that fails, the write has taken effect all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tasks.errors import ApiError, Postponed

T = TypeVar("T")

#: What keeps us from looking. To raise it would have the operation repeated, or ended as failed,
#: and nothing would be recorded of what it did.
UNSEEN = (ApiError, Postponed)


def look_back(read: Callable[[], T]) -> T | None:
    """Return what `read` returns, None where that cannot be seen at this moment."""
    try:
        return read()
    except UNSEEN:
        return None
