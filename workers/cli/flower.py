"""`genesys-workers flower`: the web page that shows workers, tasks and queues."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Annotated

import typer

from tasks.errors import SettingsError


def flower(
    address: Annotated[
        str, typer.Option(help="Where it listens; beyond this machine with a password only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 is any free one.")] = 5555,
    persistent: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keeps what it has seen, over restarts."),
    ] = None,
    allow_control: Annotated[
        bool,
        typer.Option("--allow-control", help="Let it revoke, send, and end workers."),
    ] = False,
) -> None:
    """Show workers, tasks and queues on a web page until TERM or Ctrl-C.

    It asks for FLOWER_USER (`admin`) and FLOWER_PASSWORD, or for one of FLOWER_BASIC_AUTH
    (`user:password`, several with commas). Besides REDIS_URL it needs nothing of the settings; the
    names of tenants in TENANTS_FILE tell it queues that no worker reads yet. Other options of
    Flower are read from its own variables, such as FLOWER_URL_PREFIX or FLOWER_CERTFILE.

    **Examples**

    `genesys-workers flower`

    `genesys-workers flower --address 0.0.0.0 --port 5555 --persistent /var/lib/flower/seen`
    """
    if not util.find_spec("flower"):
        raise SettingsError("flower: is not installed: install genesys-workers[flower]")
    from workers.flower.process import Place, run
    from workers.settings import Settings
    from workers.watching import telemetry

    settings = Settings.load()
    telemetry.configure(level=settings.log_level, form=settings.log_format)
    run(settings, Place(address=address, port=port, control=allow_control, kept_in=persistent))
