"""Whether Redis answers, asked when a process is scraped."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workers.metrics.counts import PREFIX
from workers.metrics.recent import Recent


class RedisUp(Collector):
    """Tells whether the process that is scraped reaches Redis, by what `ping` has answered."""

    def __init__(self, ping: Recent[bool]) -> None:
        self._ping = ping

    def collect(self) -> Iterable[Metric]:
        yield redis_up(up=bool(self._ping.get()))


def redis_up(*, up: bool) -> Metric:
    """Return the metric."""
    return GaugeMetricFamily(
        f"{PREFIX}_redis_up",
        "Whether Redis answers the process that is scraped, within seconds.",
        value=float(up),
    )
