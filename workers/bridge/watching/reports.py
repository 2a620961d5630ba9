"""What every bridge says of itself every few seconds, for `status` to show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workers.store import Store, key

REPORTS = key("bridges")

#: Seconds between two reports, and without one until a bridge counts as gone, and is forgotten.
PERIOD, GONE, FORGOTTEN = 2.0, 15.0, 3_600.0


@dataclass(frozen=True, kw_only=True)
class BridgeReport:
    """One bridge's part for one tenant; moments are epoch seconds by the clock of Redis.

    `leads` tells whether it is the one that listens by WebSocket, `connected_since` since when it
    hears all of its `channels` without a break (None: it does not, or has nothing to listen to).
    `lag` is in seconds between an event and its message on the broker, at the 50th and 99th of a
    hundred, over the last minute; `rate` is events a second over that; `counts` since its start.
    """

    bridge: str
    tenant: str
    at: float
    leads: bool
    listens: bool
    receives: bool
    channels: int = 0
    topics: int = 0
    rejected: int = 0
    connected_since: float | None = None
    last_event: float | None = None
    rate: float = 0.0
    lag: tuple[float, float] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """`leads` or `stands by` where there is something to listen to, else `receives`."""
        if not self.listens:
            return "receives"
        return "leads" if self.leads else "stands by"


@dataclass(frozen=True, kw_only=True)
class Reports:
    """The reports of all bridges, in Redis."""

    store: Store

    def tell(self, report: BridgeReport) -> None:
        """Replace what the bridge said of that tenant."""
        name = f"{report.bridge} {report.tenant}"
        self.store.redis.hset(REPORTS, name, json.dumps(asdict(report)))

    def withdraw(self, bridge: str, tenant: str) -> None:
        """Forget a bridge that has ended in good order."""
        self.store.redis.hdel(REPORTS, f"{bridge} {tenant}")

    def heard(self, now: float) -> tuple[BridgeReport, ...]:
        """Return the newest of each bridge and tenant, leaders first; forget what is long gone."""
        stored: Any = self.store.redis.hgetall(REPORTS)
        found = {name: _report(json.loads(text)) for name, text in stored.items()}
        old = [name for name, each in found.items() if now - each.at > FORGOTTEN]
        if old:
            self.store.redis.hdel(REPORTS, *old)
        kept = [each for name, each in found.items() if name not in old]
        return tuple(sorted(kept, key=lambda each: (each.tenant, not each.leads, each.bridge)))


def _report(stored: dict[str, Any]) -> BridgeReport:
    lag = stored.pop("lag")
    return BridgeReport(**stored, lag=(lag[0], lag[1]) if lag else None)
