"""What a bridge counts and measures, in the form that Prometheus scrapes.

No label holds a topic's ids, or anything else that strangers choose: tenants, rules and reasons are
the settings' and our own. For the thread of the bridge's loop only.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

from workers.bridge.watching.last_minute import LastMinute
from workers.bridge.watching.templates import Templates
from workers.metrics.server import registry_of

PREFIX = "genesys_bridge"

#: Upper bounds of lags in seconds.
LAGS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)

#: Sources whose events come as they happen: others' are old on purpose.
LIVE = ("websocket", "eventbridge")


class BridgeMetrics:
    """The counts of one bridge since its start; `patterns` are the topics of its rules.

    What the collectors `also` tell is scraped with them. `clock` gives epoch seconds.
    """

    def __init__(
        self,
        patterns: Iterable[str] = (),
        *,
        also: Iterable[Collector] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._templates = Templates(patterns)
        self._tallies: defaultdict[str, Tally[str]] = defaultdict(Tally)
        self._minutes: defaultdict[str, LastMinute] = defaultdict(lambda: LastMinute(clock))
        self._last_event: dict[str, float] = {}
        self._away_until: float | None = None
        self._registry = registry_of(*also)
        self._register()

    def _register(self) -> None:
        registry = self._registry

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", meaning, labels, registry=registry)

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", meaning, labels, registry=registry)

        self._received = counter("events", "Events that came in.", "tenant", "source")
        self._unreadable = counter(
            "unreadable", "What came in and was no event.", "tenant", "source", "reason"
        )
        self._unmatched = counter("unmatched", "Events no rule is for.", "tenant", "template")
        self._enqueued = counter("enqueued", "Messages put on a queue.", "tenant", "rule")
        self._duplicates = counter("duplicates", "Occurrences known already.", "tenant", "rule")
        self._dropped = counter(
            "dropped", "Events a rule was for, and made no message of.", "tenant", "rule", "reason"
        )
        self._lag = Histogram(
            f"{PREFIX}_lag_seconds",
            "From the moment of an event until what it brings about is on the broker.",
            ("source",),
            buckets=LAGS,
            registry=registry,
        )
        self._gaps = counter("gaps", "Times in which nothing was heard.", "tenant", "reason")
        self._open_gaps = gauge("open_gaps", "Gaps still to be backfilled.", "tenant")
        self._backfilled = counter("backfilled", "Messages that backfills enqueued.", "tenant")
        self._reconnects = counter("reconnects", "Sockets opened again.", "tenant")
        self._connected = gauge("connected_sockets", "Sockets that are heard.", "tenant")
        self._rejected = gauge("rejected_topics", "Topics that may not be subscribed.", "tenant")
        self._leader = gauge("leader", "Whether this bridge listens for the tenant.", "tenant")
        self._away = counter("broker_away_seconds", "Seconds in which the broker took nothing.")
        self._is_away = gauge("broker_away", "Whether the broker takes nothing now.")
        self._answers = counter("answers", "Answers of the receiver.", "status")

    def received(self, tenant: str, source: str, count: int = 1) -> None:
        """Count events that came in."""
        self._received.labels(tenant, source).inc(count)
        self._tallies[tenant]["received"] += count
        self._last_event[tenant] = self._clock()

    def unreadable(self, tenant: str, source: str, reason: str) -> None:
        """Count what came in and is no event."""
        self._unreadable.labels(tenant, source, reason).inc()
        self._tallies[tenant]["unreadable"] += 1

    def unmatched(self, tenant: str, topic: str) -> None:
        """Count an event that no rule is for, by its topic's template."""
        self._unmatched.labels(tenant, self._templates.of(topic)).inc()
        self._tallies[tenant]["unmatched"] += 1

    def enqueued(self, tenant: str, rule: str) -> None:
        """Count a message that was put on its queue."""
        self._enqueued.labels(tenant, rule).inc()
        self._tallies[tenant]["enqueued"] += 1

    def duplicate(self, tenant: str, rule: str) -> None:
        """Count an occurrence that was known already."""
        self._duplicates.labels(tenant, rule).inc()
        self._tallies[tenant]["duplicates"] += 1

    def dropped(self, tenant: str, rule: str, reason: str) -> None:
        """Count an event that a rule was for, and made no message of."""
        self._dropped.labels(tenant, rule, reason).inc()
        self._tallies[tenant]["dropped"] += 1

    def lag(self, tenant: str, source: str, seconds: float) -> None:
        """Measure an event whose messages are on the broker, so many seconds after its moment."""
        late = max(0.0, seconds)
        self._lag.labels(source).observe(late)
        if source in LIVE:
            self._minutes[tenant].add(late)

    def gaps(self, tenant: str, reason: str) -> None:
        """Count a time in which nothing was heard."""
        self._gaps.labels(tenant, reason).inc()
        self._tallies[tenant]["gaps"] += 1

    def open_gaps(self, tenant: str, count: int) -> None:
        """Note how many gaps are still to be backfilled."""
        self._open_gaps.labels(tenant).set(count)

    def backfilled(self, tenant: str, count: int) -> None:
        """Count messages that a backfill has enqueued."""
        self._backfilled.labels(tenant).inc(count)
        self._tallies[tenant]["backfilled"] += count

    def reconnects(self, tenant: str) -> None:
        """Count a socket that was opened again."""
        self._reconnects.labels(tenant).inc()
        self._tallies[tenant]["reconnects"] += 1

    def connected(self, tenant: str, count: int) -> None:
        """Note how many sockets are heard."""
        self._connected.labels(tenant).set(count)

    def rejected_topics(self, tenant: str, count: int) -> None:
        """Note how many topics may not be subscribed."""
        self._rejected.labels(tenant).set(count)

    def leader(self, tenant: str, leads: bool) -> None:
        """Note whether this bridge is the one that listens for the tenant."""
        self._leader.labels(tenant).set(leads)

    def answered(self, status: int) -> None:
        """Count an answer of the receiver."""
        self._answers.labels(status).inc()

    def broker_away(self) -> None:
        """Note that the broker takes nothing; until it does again, that time is counted."""
        now = self._clock()
        if self._away_until is not None:
            self._away.inc(max(0.0, now - self._away_until))
        self._away_until = now
        self._is_away.set(True)

    def broker_there(self) -> None:
        """Note that the broker takes messages."""
        if self._away_until is not None:
            self.broker_away()
            self._away_until = None
            self._is_away.set(False)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        if self._away_until is not None:
            self.broker_away()
        return generate_latest(self._registry)

    def snapshot(self, tenant: str) -> dict[str, Any]:
        """Return what `status` shows of a tenant.

        `counts` since the start; `rate`, events a second over the last minute; `lag`, its 50th and
        99th of a hundred over that in seconds, None without events; `last_event`, when the last one
        came in epoch seconds, None before the first.
        """
        minute = self._minutes[tenant]
        return {
            "counts": dict(self._tallies[tenant]),
            "rate": minute.rate(),
            "lag": minute.lags(0.5, 0.99),
            "last_event": self._last_event.get(tenant),
        }
