"""Waiting for what an API has accepted and not finished yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tasks.apis.systems import Systems
from tasks.errors import Postponed
from tasks.waiting import Waiting

#: How soon it is looked at again; the deadline is that of what is waited for.
PACE = Waiting(first=0.5, longest=5.0)


def next_look(since: datetime, systems: Systems) -> float:
    """Return the seconds to the next look at what is waited for `since` then."""
    return PACE.next_wait((systems.now() - since).total_seconds())


@contextmanager
def counted_from(since: datetime, systems: Systems) -> Iterator[None]:
    """Let the deadlines of `Postponed` raised in the block count from `since`.

    They count from the operation's first attempt elsewhere; what a saga waits for begins later. It
    waits as long as was asked for at least, and longer and longer.
    """
    try:
        yield
    except Postponed as error:
        if error.deadline is None:
            raise
        before = (since - systems.started).total_seconds()
        wait = max(error.wait, next_look(since, systems))
        raise Postponed(error.reason, wait, error.deadline + before) from None
