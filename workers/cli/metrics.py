"""`genesys-workers metrics`: the state of the cluster, for Prometheus."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

#: Where it is shown, unless it is told otherwise.
USUAL = "127.0.0.1:9470"


def metrics(
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help=f"Else METRICS_ADDRESS, else {USUAL}."),
    ] = None,
) -> None:
    """Show Prometheus the state of the cluster until TERM or Ctrl-C.

    That is what `status` shows: queues, budgets, pauses, workers, dead letters. One such process
    is enough for a cluster. What workers count, each of them shows itself, under its own
    `--metrics`. While Redis is away, `genesys_workers_redis_up` is 0.

    **Examples**

    `genesys-workers metrics`

    `genesys-workers metrics --address 0.0.0.0:9470`
    """
    from workers.cli.services import services
    from workers.metrics.address import parse
    from workers.metrics.cluster import Cluster
    from workers.metrics.recent import Recent
    from workers.metrics.server import bound, serve
    from workers.watching import telemetry
    from workers.watching.status import look

    found = services()
    try:
        where = parse(address or found.settings.metrics_address or USUAL)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--address") from None
    telemetry.configure(level=found.settings.log_level, form=found.settings.log_format)
    server = serve(where, [Cluster(Recent(ask=lambda: look(found)))])
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    telemetry.log.info("metrics.shown", address=str(bound(server)))
    stopped.wait()
    server.shutdown()
