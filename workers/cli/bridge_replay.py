"""`genesys-workers bridge replay`: events from a file or a pipe, as if they came now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tasks.errors import BrokerAway
from tasks.messages import DEFAULT_TENANT
from workers.cli.bridged_tenant import bridged
from workers.cli.console import complain, err, out

if TYPE_CHECKING:
    from workers.app import Services
    from workers.bridge.replay import Replayed


def replay(
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - reads a pipe.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Whose events they are.")] = (
        DEFAULT_TENANT
    ),
) -> None:
    """Put what the rules make of events on the queues: one event a line, in either envelope.

    A gzipped file will do. What the bridge, or an earlier replay, has taken already is a duplicate
    and makes no second message; a run that was stopped may be begun again. The exit code is 1 where
    a line was no event, or the broker went away.

    **Examples**

    `genesys-workers bridge replay events.jsonl.gz --tenant acme`

    `jq -c .detail archive.json | genesys-workers bridge replay -`
    """
    from workers.cli.services import services

    found = services()
    try:
        replayed = asyncio.run(_replay(found, tenant, source))
    except BrokerAway as error:
        complain(f"{error}: nothing is lost, begin again once it is back")
        raise typer.Exit(1) from None
    out.print(_table(replayed))
    for number, reason in replayed.first:
        complain(f"line {number}: {reason}")
    raise typer.Exit(1 if replayed.unreadable else 0)


async def _replay(services: Services, tenant: str, source: str) -> Replayed:
    from workers.bridge.intake import Intake
    from workers.bridge.publishing.publisher import Publisher
    from workers.bridge.replay import opened, replay
    from workers.bridge.watching.metrics import BridgeMetrics

    settings, rules = bridged(services, tenant)
    with opened(source) as read, _counting() as progress:
        async with Publisher(services) as publisher:
            intake = Intake(rules={tenant: rules}, publisher=publisher, metrics=BridgeMetrics())
            bar = progress.add_task("lines", total=None)
            return await replay(
                read,
                tenant,
                intake,
                sources=settings.sources,
                tell=lambda so_far: progress.update(bar, completed=so_far.read),
            )


def _counting() -> Progress:
    columns = (BarColumn(), TextColumn("{task.completed:,} lines"), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _table(replayed: Replayed) -> Table:
    taken = replayed.taken
    rows = (
        ("lines", replayed.read),
        ("messages enqueued", taken.enqueued),
        ("duplicates", taken.duplicates),
        ("dropped by their rule", taken.dropped),
        ("of no rule's interest", taken.unmatched),
        ("no events", replayed.unreadable),
    )
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    for name, count in rows:
        shown.add_row(name, f"{count:,}")
    return shown
