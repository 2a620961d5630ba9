"""What is one for the whole cluster, as Redis knows it: queues, budgets, pauses, workers.

Queues that are no tenant's are counted and not named: whoever sends a message chooses their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workers.limits.rates import split_queue
from workers.metrics.counts import PREFIX
from workers.metrics.recent import Recent
from workers.metrics.redis_up import redis_up
from workers.watching.status import Status

Sample = tuple[tuple[str, ...], float]


class Cluster(Collector):
    """Shows what was seen of the cluster lately; while Redis is away, that it is away."""

    def __init__(self, seen: Recent[Status]) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        status = self._seen.get()
        yield redis_up(up=status is not None)
        if status is not None:
            yield from _queues(status)
            yield from _strays(status)
            yield from _systems(status)
            yield from _workers(status)


def _queues(status: Status) -> Iterator[Metric]:
    queues = {(queue.name, split_queue(queue.name)[1]): queue for queue in status.queues}
    of_queue = ("queue", "tenant")
    yield _gauge(
        "queue_messages",
        "Messages that are due, that are not yet, and that workers hold.",
        (*of_queue, "state"),
        (
            ((*name, state), getattr(queue, state))
            for name, queue in queues.items()
            for state in ("waiting", "delayed", "leased")
        ),
    )
    yield _gauge(
        "queue_head_wait_seconds",
        "Since the first waiting message was first seen waiting; 0 where none waits.",
        of_queue,
        ((name, queue.head_waits or 0.0) for name, queue in queues.items()),
    )
    yield _gauge(
        "queue_rate_per_second",
        "Messages a second that may start, over all workers; none for the default queue.",
        of_queue,
        ((name, queue.rate) for name, queue in queues.items() if queue.rate is not None),
    )
    yield _gauge(
        "queue_started_per_second",
        "Messages a second that have started, over the last minute.",
        of_queue,
        ((name, queue.achieved) for name, queue in queues.items()),
    )
    yield _gauge(
        "queue_unread",
        "1 where a queue holds messages and no living worker reads it.",
        of_queue,
        ((name, bool(queue.trouble)) for name, queue in queues.items()),
    )


def _strays(status: Status) -> Iterator[Metric]:
    yield _gauge(
        "stray_queues",
        "Queues that hold messages and are no tenant's, such as one with a mistyped name.",
        (),
        [((), len(status.strays))],
    )
    yield _gauge(
        "stray_messages",
        "Messages in such queues.",
        (),
        [((), sum(each.waiting + each.delayed + each.leased for each in status.strays))],
    )


def _systems(status: Status) -> Iterator[Metric]:
    systems = {(each.tenant, each.system): each for each in status.systems}
    of_system = ("tenant", "system")
    yield _gauge(
        "budget_limit_calls",
        "Calls that may be made in a window of a minute.",
        of_system,
        ((name, each.limit) for name, each in systems.items()),
    )
    yield _gauge(
        "budget_used_calls",
        "Calls of the window that are made, or reserved for what has begun.",
        of_system,
        ((name, each.spent) for name, each in systems.items()),
    )
    yield _gauge(
        "budget_reserved_calls",
        "The part of the used calls that is not made yet.",
        of_system,
        ((name, each.reserved) for name, each in systems.items()),
    )
    yield _gauge(
        "pause_left_seconds",
        "Until calls may leave again after a 429; 0 without a pause.",
        of_system,
        ((name, each.pause_left or 0.0) for name, each in systems.items()),
    )
    yield _gauge(
        "tenant_paused",
        "1 while somebody has paused the tenant's queues, by `rates pause`.",
        ("tenant",),
        (((name,), name in status.pauses) for name in sorted({each for each, _ in systems})),
    )


def _workers(status: Status) -> Iterator[Metric]:
    alive = [worker for worker in status.workers if worker.alive]
    yield _gauge("alive", "Workers that have been heard of within a lease.", (), [((), len(alive))])
    yield _gauge(
        "slots",
        "Messages that the living workers carry out at once.",
        (),
        [((), sum(worker.slots for worker in alive))],
    )
    yield _gauge("held_messages", "Messages that workers hold.", (), [((), status.held)])
    yield _gauge(
        "dead_letters_held",
        "Dead letters that nobody has replayed or discarded.",
        (),
        [((), status.dead_letters)],
    )


def _gauge(name: str, meaning: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    gauge = GaugeMetricFamily(f"{PREFIX}_{name}", meaning, labels=labels)
    for values, value in samples:
        gauge.add_metric(values, float(value))
    return gauge
