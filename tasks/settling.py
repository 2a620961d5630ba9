"""Waiting for what an API has accepted and not finished yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tasks.apis.systems import Systems
from tasks.errors import Postponed

#: Seconds until it is looked at again.
WAIT = 2.0


@contextmanager
def counted_from(since: datetime, systems: Systems) -> Iterator[None]:
    """Let the deadlines of `Postponed` raised in the block count from `since`.

    They count from the operation's first attempt elsewhere; what a saga waits for begins later.
    """
    try:
        yield
    except Postponed as error:
        if error.deadline is None:
            raise
        before = (since - systems.started).total_seconds()
        raise Postponed(error.reason, error.wait, error.deadline + before) from None
