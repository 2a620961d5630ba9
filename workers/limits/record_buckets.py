"""Record buckets: how often one record of an outside system may be written.

The vendor limits each record for itself, with no word on how long to wait; the bucket here keeps
the cluster below that. Its clock is that of Redis, and what it lets through may arrive bunched: a
server that counts on its own clock can still refuse a write now and then.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import Postponed
from tasks.refusals import shown_customer
from workers.limits.budgets import DEADLINE
from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class RecordBuckets:
    """Implements `RecordRate` for one system of a tenant.

    A record that has not been written for long takes `burst` writes at once, then `per_minute`:
    in any t minutes no more than `burst + t · per_minute`.
    """

    store: Store
    tenant: str
    system: str
    burst: int
    per_minute: float

    def take(self, record: str) -> None:
        """Charge one write of `record`. Raises `Postponed`, for that message alone."""
        name = key("record", self.tenant, self.system, shown_customer(record))
        wait = self.store.run("take_record", [name], [self._interval, self.burst])
        if wait:
            about = f"{self.system} of {self.tenant} takes no more writes of this record"
            raise Postponed(about, int(wait) / 1000, deadline=DEADLINE, kind="record_rate")

    @property
    def _interval(self) -> int:
        """Microseconds; rounded up, so that rounding lets nothing more through."""
        return -int(-60_000_000 // self.per_minute)
