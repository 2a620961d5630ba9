"""`genesys-workers demo`: the whole system on this machine."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from workers.cli.console import out
from workers.embedded.redis_server import Source


def demo(
    messages: Annotated[int, typer.Option(min=20, help="About how many are sent.")] = 400,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal plans.")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running until Ctrl-C.")] = False,
    redis: Annotated[
        Source | None, typer.Option(help="Which Redis is started; the best there is if left out.")
    ] = None,
) -> None:
    """Run everything on this machine, put messages of every kind through, and check the outcome.

    Redis, the simulated Genesys Cloud and CXone, two workers, a bridge and Flower are started on
    free loopback ports and end with the command. The exit code is 0 only if every message is
    accounted for, those that the bridge makes of events among them, and every expected effect has
    happened exactly once, and no other.

    **Examples**

    `genesys-workers demo`

    `genesys-workers demo --keep --messages 2000 --seed 3`
    """
    from workers.demo.run import Options, run

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = Options(messages=messages, seed=seed, keep=keep, redis=redis)
    raise typer.Exit(run(options, out))
