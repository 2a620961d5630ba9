"""Whether this machine and Redis agree on the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workers.doctor.finding import Finding, bad, ok
from workers.store import Store

#: Seconds. Assertions and `Retry-After` dates are of this machine, everything else is of Redis.
MOST_SKEW = 5.0


def agree(store: Store, clock: Callable[[], float]) -> Iterator[Finding]:
    """Find the skew between the clock of Redis and `clock` (epoch seconds)."""
    before = clock()
    told = store.now()
    skew = (before + clock()) / 2 - told
    said = f"this machine is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} Redis"
    if abs(skew) > MOST_SKEW:
        yield bad(said, "set the clocks of both by NTP")
    else:
        yield ok(said)
