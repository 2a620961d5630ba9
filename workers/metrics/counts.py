"""What a worker counts: how operations end, how long they take, what they call.

Labels hold names of the settings and of this project alone: tenants, tasks, systems, templates of
routes. Never an id, and nothing that a message says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from tasks.apis.calls import Call

PREFIX = "genesys_workers"

#: Upper bounds in seconds: of what a live conversation waits for, and of what waits for a night.
LATENCIES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)

#: Upper bounds in seconds, up to the longest that a call may take.
CALLS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

#: Where a latency begins: when what a message tells of happened, when it was put on its queue, when
#: a worker took it first.
Since = Literal["event", "enqueue", "claim"]

#: What went wrong on our side: an unexpected error, a pool's process that died, a broker away.
Fault = Literal["unexpected", "process_died", "broker"]

# The moment at which each count began says nothing, and doubles what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]  # has no hints


class Counts:
    """The counts of one process since its start. Any thread may count."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin at zero, with locks of its own: those of a parent may be held for ever."""
        self.registry = CollectorRegistry()
        self._operations = self._counter(
            "operations", "Operations that have ended, by how.", "tenant", "task", "status"
        )
        self._repeated = self._counter(
            "operations_repeated",
            "Messages whose operation had ended before: answered as the first time.",
            "tenant",
            "task",
        )
        self._latency = self._histogram(
            "latency_seconds",
            "Until an operation has ended well: since the event that its message tells of, since"
            " the message was put on its queue or was due, since a worker first claimed it.",
            LATENCIES,
            "tenant",
            "task",
            "since",
        )
        self._calls = self._counter(
            "api_calls",
            "Calls to outside systems. The status is its class, 429 or none where no answer came.",
            "tenant",
            "system",
            "method",
            "route",
            "status",
        )
        # Without tenants, which would multiply its twelve series for each route.
        self._call_seconds = self._histogram(
            "api_call_seconds",
            "Until an outside system has answered, or did not in time.",
            CALLS,
            "system",
            "method",
            "route",
        )
        self._put_backs = self._counter(
            "put_backs",
            "Messages that went back to come again, by why.",
            "tenant",
            "task",
            "reason",
        )
        self._parked = self._counter(
            "dead_letters",
            "Messages that became dead letters, by the kind of their reason.",
            "tenant",
            "queue",
            "kind",
        )
        self._findings = self._counter(
            "findings", "Personal data that was removed, by kind.", "tenant", "entity"
        )
        self._pauses = self._counter(
            "pauses", "Answers 429, each of which paused a system of a tenant.", "tenant", "system"
        )
        self._leases_lost = self._counter(
            "leases_lost",
            "Claims whose lease had ended while the message was being carried out here.",
        )
        self._faults = self._counter(
            "faults", "Faults on our side: unexpected errors, dead processes, no broker.", "kind"
        )
        for kind in ("unexpected", "process_died", "broker"):
            self._faults.labels(kind)
        #: The part that a bridge shows: it calls outside systems, and carries no message out.
        self.outside = CollectorRegistry()
        for each in (self._calls, self._call_seconds, self._pauses):
            self.outside.register(each)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"{PREFIX}_{name}", meaning, labels, buckets=buckets, registry=self.registry
        )

    def ended(self, tenant: str, task: str, status: str) -> None:
        """Count an operation that has ended."""
        self._operations.labels(tenant, task, status).inc()

    def repeated(self, tenant: str, task: str) -> None:
        """Count a message that was answered as the first time."""
        self._repeated.labels(tenant, task).inc()

    def took(self, tenant: str, task: str, since: Since, seconds: float) -> None:
        """Measure an operation that has ended well; clocks that differ never make it negative."""
        self._latency.labels(tenant, task, since).observe(max(0.0, seconds))

    def called(
        self, tenant: str, system: str, call: Call, status: int | None, seconds: float
    ) -> None:
        """Count and measure a call; `status` is None where no answer came."""
        self._calls.labels(tenant, system, call.method, call.route, status_class(status)).inc()
        self._call_seconds.labels(system, call.method, call.route).observe(seconds)

    def put_back(self, tenant: str, task: str, reason: str) -> None:
        """Count a message that comes again."""
        self._put_backs.labels(tenant, task, reason).inc()

    def parked(self, tenant: str, queue: str, kind: str) -> None:
        """Count a message that was kept as a dead letter; `queue` is the kind of its queue."""
        self._parked.labels(tenant, queue, kind).inc()

    def found(self, tenant: str, findings: Mapping[str, int]) -> None:
        """Count personal data that was removed, by entity."""
        for entity, count in findings.items():
            self._findings.labels(tenant, entity).inc(count)

    def paused(self, tenant: str, system: str) -> None:
        """Count a pause that an outside system has asked for."""
        self._pauses.labels(tenant, system).inc()

    def lease_lost(self) -> None:
        """Count a claim that has become somebody else's."""
        self._leases_lost.inc()

    def fault(self, kind: Fault) -> None:
        """Count a fault on our side."""
        self._faults.labels(kind).inc()


def status_class(status: int | None) -> str:
    """Return `2xx` and the like; 429 stands for itself, since it is answered by a pause."""
    if status is None:
        return "none"
    return "429" if status == 429 else f"{status // 100}xx"
