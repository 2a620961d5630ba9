"""`genesys-workers worker`: the Celery worker with this project's settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.limits.priority import CLASSES, class_of
from workers.limits.rates import DEFAULT_QUEUE, QUEUES, split_queue

if TYPE_CHECKING:
    from celery import Celery

    from workers.settings import Settings


class Pool(StrEnum):
    """Celery's pools that this project runs on."""

    threads = "threads"
    prefork = "prefork"


def worker(
    queues: Annotated[
        str | None,
        typer.Option("--queues", "-Q", help="Only these, separated by commas; all if left out."),
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS",
            help="Only queues of these kinds, of every tenant: attributes, merge …, or live,"
            " normal, batch.",
        ),
    ] = None,
    pool: Annotated[Pool, typer.Option(help="The work is waiting for HTTP.")] = Pool.threads,
    concurrency: Annotated[int, typer.Option(min=1, help="Messages carried out at once.")] = 16,
    name: Annotated[
        str | None, typer.Option(help="The worker's name; needed for two on one host.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where Prometheus scrapes it, else METRICS_ADDRESS; two on one host need two.",
        ),
    ] = None,
    alive: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Touched every two seconds while its loop goes round."),
    ] = None,
) -> None:
    """Run a worker until TERM or Ctrl-C, which let it finish what it has begun.

    `celery -A workers.app worker` runs the same, with Celery's banners; there, `-P processes`
    is what `--pool prefork` is here.

    **Examples**

    `genesys-workers worker`

    `genesys-workers worker --queues attributes,merge.acme --concurrency 16 --name live`

    `genesys-workers worker --kinds live,deploy --name live@%h`

    `genesys-workers worker --metrics :9471`
    """
    from workers.app import from_environment

    app = from_environment(**({} if metrics is None else {"metrics_address": metrics}))
    # Not Celery's own option: it takes `--pool prefork` for the default, which is ours.
    app.conf.update(worker_pool=pool.value, worker_concurrency=concurrency)
    argv = [*_log_only(app.services.settings), "worker"]
    known = [queue.name for queue in app.conf.task_queues]
    if read := _read(queues, kinds, known):
        argv += ["--queues", ",".join(read)]
    if name is not None:
        argv += ["--hostname", name]
    if alive is not None:
        _show_life(app, alive)
    app.worker_main(argv)


def _show_life(app: Celery, file: Path) -> None:
    from workers.watching import sign_of_life

    try:
        sign_of_life.show(app, file)
    except OSError as error:
        refusal = f"cannot be written: {error.strerror}"
        raise typer.BadParameter(refusal, param_hint="alive") from None


def _log_only(settings: Settings) -> list[str]:
    """Let log lines be all that is said, where programs read them; return Celery's options."""
    from workers.watching import telemetry

    # Celery warns before it sets logging up.
    telemetry.configure(level=settings.log_level, form=settings.log_format)
    if settings.log_format == "console":
        return []
    # It tells of its shutdown past logging, on standard output, which has no other use.
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return ["--quiet"]


def _read(queues: str | None, kinds: str | None, known: Collection[str]) -> list[str]:
    """Return the queues that are asked for, none where all are."""
    if queues is not None and kinds is not None:
        raise typer.BadParameter("cannot be combined with --queues", param_hint="--kinds")
    if queues is not None:
        return chosen(queues, known)
    return [] if kinds is None else of_kinds(kinds, known)


def chosen(text: str, known: Collection[str]) -> list[str]:
    """Return the queues that `text` lists; raise `BadParameter` for one that is not known."""
    return _known(text, known, "queues")


def of_kinds(text: str, known: Iterable[str]) -> list[str]:
    """Return the queues that are of the kinds, or of the classes of kinds, that `text` lists.

    Raises `BadParameter` for a kind that there is not.
    """
    kinds = _known(text, (*QUEUES, DEFAULT_QUEUE, *CLASSES), "kinds")
    return [name for name in known if {split_queue(name)[0], class_of(name)} & set(kinds)]


def _known(text: str, known: Collection[str], what: str) -> list[str]:
    names = [name for part in text.split(",") if (name := part.strip())]
    unknown = sorted(set(names) - set(known))
    if unknown or not names:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else "names none"
        raise typer.BadParameter(f"{wrong}; the {what} are {', '.join(known)}", param_hint=what)
    return names
