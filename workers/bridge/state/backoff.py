"""How long a tenant's bridge waits before it tries to connect once more."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from workers.policy import LONGEST_PAUSE
from workers.store import Store, key

#: Seconds after the last failure that it is remembered: longer than any wait.
KEEP = 2 * 86_400


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Waits that double with every failure in a row, from the `first` to the `longest`, seconds."""

    first: float = 1.0
    longest: float = 60.0

    def after(self, failures: int, random: Random, retry_after: float | None = None) -> float:
        """Return the seconds to wait after so many failures, less up to half of them as jitter.

        It is not less than what the other side has asked for, up to a day.
        """
        full = min(self.first * 2.0 ** min(failures - 1, 100), self.longest)
        asked = min(retry_after or 0.0, LONGEST_PAUSE)
        return max(full * random.uniform(0.5, 1.0), asked)


@dataclass(frozen=True, kw_only=True)
class Failing:
    """So many failures in a row; nothing may be tried before a moment, by the clock of Redis."""

    failures: int = 0
    not_before: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """What a tenant's failures come to, in Redis: a process that starts anew goes on waiting.

    All connections of a tenant share one, and one process makes them. A success that does not last
    is no success: who reports it at once connects in a storm.
    """

    store: Store
    tenant: str
    waits: Waits = Waits()
    random: Random = field(default_factory=Random, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def failing(self) -> Failing:
        """Return what is remembered."""
        held: Any = self.store.redis.hmget(self._key, ["failures", "not_before"])
        return Failing(failures=int(held[0] or 0), not_before=float(held[1] or 0))

    def left(self) -> float:
        """Return the seconds until something may be tried."""
        return max(0.0, self.failing().not_before - self.store.now())

    def failed(self, retry_after: float | None = None) -> float:
        """Remember a failure, whose answer asked to wait so long; return the seconds to wait.

        A wait that somebody has been asked for is not cut short by another failure.
        """
        with self._lock:
            before, now = self.failing(), self.store.now()
            failures = before.failures + 1
            until = max(
                now + self.waits.after(failures, self.random, retry_after), before.not_before
            )
            with self.store.redis.pipeline(transaction=True) as transaction:
                transaction.hset(self._key, "failures", str(failures))
                transaction.hset(self._key, "not_before", repr(until))
                transaction.expire(self._key, KEEP)
                transaction.execute()
        return until - now

    def succeeded(self) -> None:
        """Forget the failures."""
        self.store.redis.delete(self._key)

    @property
    def _key(self) -> str:
        return key("bridge", self.tenant, "backoff")
