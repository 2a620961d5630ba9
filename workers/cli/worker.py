"""`genesys-workers worker`: the Celery worker with this project's settings."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

import typer


class Pool(StrEnum):
    """Celery's pools that this project runs on."""

    threads = "threads"
    prefork = "prefork"


def worker(
    queues: Annotated[
        str | None,
        typer.Option("--queues", "-Q", help="Only these, separated by commas; all if left out."),
    ] = None,
    pool: Annotated[Pool, typer.Option(help="The work is waiting for HTTP.")] = Pool.threads,
    concurrency: Annotated[int, typer.Option(min=1, help="Messages carried out at once.")] = 8,
    name: Annotated[
        str | None, typer.Option(help="The worker's name; needed for two on one host.")
    ] = None,
) -> None:
    """Run a worker until TERM or Ctrl-C, which let it finish what it has begun.

    `celery -A workers.app worker` runs the same.

    **Examples**

    `genesys-workers worker`

    `genesys-workers worker --queues attributes,merge.acme --concurrency 16 --name live`
    """
    from workers.app import from_environment

    app = from_environment()
    argv = ["worker", "--pool", pool.value, "--concurrency", str(concurrency)]
    if queues is not None:
        known = [queue.name for queue in app.conf.task_queues]
        argv += ["--queues", ",".join(chosen(queues, known))]
    if name is not None:
        argv += ["--hostname", name]
    app.worker_main(argv)


def chosen(text: str, known: Collection[str]) -> list[str]:
    """Return the queues that `text` lists; raise `BadParameter` for one that is not known."""
    names = [name for part in text.split(",") if (name := part.strip())]
    unknown = sorted(set(names) - set(known))
    if unknown or not names:
        what = f"unknown: {', '.join(unknown)}" if unknown else "names none"
        raise typer.BadParameter(f"{what}; the queues are {', '.join(known)}", param_hint="queues")
    return names
