"""A worker's metrics: shown from before its pool is filled until its end."""

from __future__ import annotations

import sys
from typing import Any
from wsgiref.simple_server import WSGIServer

from celery.concurrency import get_implementation
from celery.concurrency.prefork import TaskPool as Forking
from celery.signals import celeryd_after_setup, worker_init, worker_process_init
from prometheus_client.registry import Collector

from tasks.errors import SettingsError
from workers.metrics import address, forks
from workers.metrics.recent import Recent
from workers.metrics.redis_up import RedisUp
from workers.metrics.server import bound, serve
from workers.store import Store
from workers.watching.telemetry import log

_serving: list[WSGIServer] = []


def connect(app: Any) -> None:
    """Have the workers of `app` show their metrics, where its settings name an address.

    One that cannot have it does not start.
    """

    @worker_init.connect(weak=False)
    def _begin(sender: Any, **_: Any) -> None:
        if app.services.settings.metrics_address:
            try:
                begin(app.services, sender.pool_cls)
            except SettingsError as error:
                print(f"genesys-workers: {error}", file=sys.stderr)
                raise SystemExit(error.exit_code) from None

    @celeryd_after_setup.connect(weak=False)
    def _tell(**_: Any) -> None:
        for server in _serving:
            log.info("metrics.shown", address=str(bound(server)))

    @worker_process_init.connect(weak=False)
    def _in_child(**_: Any) -> None:
        in_child(app.services)


def begin(services: Any, pool: Any) -> None:
    """Show at `METRICS_ADDRESS` what the worker counts, over all processes of its `pool`.

    To be called before the pool forks. Raises `SettingsError` where the address cannot be had.
    """
    counted: Collector = services.counts.registry
    if issubclass(get_implementation(pool), Forking):
        counted = forks.begin()
        services.counts.renew()
    # A client of its own: processes that fork in the middle of a ping share no lock with it.
    client = Store.connect(services.settings.redis_url).redis
    ping = Recent(ask=lambda: bool(client.ping()), keep=1.0)
    where = address.parse(services.settings.metrics_address)
    _serving.append(serve(where, [counted, RedisUp(ping)]))


def in_child(services: Any) -> None:
    """Let a process of the pool count for itself, and leave the port to the worker."""
    forks.join()
    services.counts.renew()
    while _serving:
        _serving.pop().socket.close()
