"""Spans of time in which a tenant's bridge heard nothing, until they have been made up for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from workers.store import Store, key

#: Gaps that stay known after they have been filled.
KEPT = 50


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What was sent from `start` to `end`, in epoch seconds by the clock of Redis, may be missing.

    `reason` is one of few short texts.
    """

    id: str
    start: float
    end: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A gap that has been made up for, `at` a moment by the clock of Redis.

    That found so many `events`, put so many `messages` that were new, and took so many `seconds`.
    """

    gap: Gap
    at: float
    events: int
    messages: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """The gaps of a tenant, in Redis without expiry: open ones survive whoever works on them."""

    store: Store
    tenant: str

    def open(self, start: float, end: float, reason: str) -> Gap:
        """Remember a gap that has to be made up for, and return it."""
        gap = Gap(id=uuid4().hex, start=start, end=end, reason=reason)
        self.store.redis.hset(self._open, gap.id, json.dumps(asdict(gap)))
        return gap

    def waiting(self) -> Sequence[Gap]:
        """Return the gaps that are open, in the order of time."""
        held: Any = self.store.redis.hgetall(self._open)
        gaps = (Gap(**json.loads(each)) for each in held.values())
        return sorted(gaps, key=lambda gap: (gap.start, gap.end, gap.id))

    def close(self, gap: Gap, *, events: int, messages: int, seconds: float) -> None:
        """Remember that `gap` has been made up for, and how; once, whoever says so."""
        if not self.store.redis.hdel(self._open, gap.id):
            return
        filled = Filled(
            gap=gap, at=self.store.now(), events=events, messages=messages, seconds=seconds
        )
        told: Any = {"filled": json.dumps(asdict(filled))}
        self.store.redis.xadd(self._filled, told, maxlen=KEPT, approximate=False)

    def filled(self) -> Sequence[Filled]:
        """Return the gaps that were closed last, the newest first."""
        held: Any = self.store.redis.xrevrange(self._filled)
        return [_filled(json.loads(told[b"filled"])) for _, told in held]

    @property
    def _open(self) -> str:
        return key("bridge", self.tenant, "gaps")

    @property
    def _filled(self) -> str:
        return key("bridge", self.tenant, "filled")


def _filled(held: dict[str, Any]) -> Filled:
    return Filled(**{**held, "gap": Gap(**held["gap"])})
