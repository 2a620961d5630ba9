"""`genesys-workers status`: queues, rates, budgets and workers at a glance."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from workers.bridge.watching.reports import GONE
from workers.cli.console import out, printable
from workers.cli.moments import local_time
from workers.rates import format_achieved, format_rate, split_queue
from workers.store import INFRASTRUCTURE
from workers.strays import MOST

if TYPE_CHECKING:
    from workers.app import Services
    from workers.bridge.watching.reports import BridgeReport
    from workers.overrides import RateSet
    from workers.roster import WorkerStatus
    from workers.status import QueueStatus, Status, SystemStatus

#: Seconds between two looks of `--watch`.
PAUSE = 2.0

#: Rows of a table above which those are left out where nothing happens.
MANY = 20

#: Queues of a worker that are named.
FEW = 7

_SPANS = (("d", 86_400), ("h", 3_600), ("min", 60))


def status(
    seconds: Annotated[
        float | None,
        typer.Argument(min=0.1, metavar="SECONDS", help=f"Between two looks; else {PAUSE:g}."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until Ctrl-C.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Idle queues too, however many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show what waits in each queue and why, what is spent of each budget, and who works.

    A queue in red holds messages that nobody reads: its tenant's name is mistyped, or no worker
    that lives was started for it. `achieved` counts over the last minute. JSON has seconds, and
    messages per second.

    **Examples**

    `genesys-workers status`

    `genesys-workers status --watch 5`

    `genesys-workers status --json | jq '.queues[] | select(.waiting > 0)'`
    """
    from workers.cli.services import services
    from workers.status import look

    if as_json and watch:
        raise typer.BadParameter("shows one look; leave --watch out", param_hint="--json")
    if seconds is not None and not watch:
        raise typer.BadParameter("goes with --watch", param_hint="SECONDS")
    found = services()
    seen = look(found)
    if as_json:
        print(json.dumps(asdict(seen)))
    elif watch:
        _watch(found, seen, seconds or PAUSE, everything=all_)
    else:
        out.print(view(seen, everything=all_))


def _watch(found: Services, seen: Status, pause: float, *, everything: bool) -> None:
    """Look again and again, until Ctrl-C; where Redis is away, go on when it is back."""
    from workers.status import look

    with suppress(KeyboardInterrupt), Live(screen=True, auto_refresh=False, console=out) as live:
        shown = view(seen, everything=everything)
        while True:
            live.update(shown, refresh=True)
            time.sleep(pause)
            try:
                shown = view(look(found), everything=everything)
            except INFRASTRUCTURE as error:
                shown = Text(f"Redis: {type(error).__name__}", "red")


def view(seen: Status, *, everything: bool) -> RenderableType:
    """Return what is shown of a status; where nothing happens is left out of long tables."""
    queues = [*seen.queues, *seen.strays]
    if len(queues) > MANY and not everything:
        queues = [queue for queue in queues if not queue.idle or queue.achieved or queue.rate_set]
    systems = list(seen.systems)
    if len(systems) > MANY and not everything:
        systems = [system for system in systems if system.spent or system.pause_left]
    idle = len(seen.queues) + len(seen.strays) - len(queues), len(seen.systems) - len(systems)
    notes = [*_notes(seen), *_left_out(*idle)]
    tables = [_queues(seen, queues), _systems(systems), _workers(seen.workers), _bridges(seen)]
    return Group(*(table for table in tables if table.row_count), *notes)


def _queues(seen: Status, queues: Iterable[QueueStatus]) -> Table:
    headings = "queue,waiting,delayed,leased,head waits,rate,achieved,set by,workers,trouble"
    return _table(headings, [(_queue(seen, each), _color(each.trouble)) for each in queues])


def _queue(seen: Status, queue: QueueStatus) -> tuple[str, ...]:
    paused = split_queue(queue.name)[1] in seen.pauses
    rate = format_rate(queue.rate) if queue.rate else ""
    return (
        printable(queue.name),
        str(queue.waiting),
        _count(queue.delayed),
        _count(queue.leased),
        "" if queue.head_waits is None else span(queue.head_waits),
        "paused" if rate and paused else rate,
        format_achieved(queue.achieved, queue.rate) if queue.achieved else "",
        printable(_mark(seen, queue.rate_set)) if queue.rate_set else "",
        _count(len(queue.readers)),
        printable(queue.trouble or ""),
    )


def _mark(seen: Status, rate_set: RateSet) -> str:
    return f"{rate_set.by}, {span(seen.at - rate_set.at)} ago"


def _systems(systems: Iterable[SystemStatus]) -> Table:
    headings = "tenant,system,calls,of,reserved,window ends in,paused for"
    return _table(headings, [(_system(each), _color(each.pause_left)) for each in systems])


def _system(system: SystemStatus) -> tuple[str, ...]:
    return (
        system.tenant,
        system.system,
        str(system.spent - system.reserved),
        f"{system.limit}/m",
        _count(system.reserved),
        "" if system.window_left is None else span(system.window_left),
        "" if system.pause_left is None else span(system.pause_left),
    )


def _workers(workers: Iterable[WorkerStatus]) -> Table:
    headings = "worker,holds,slots,queues,last heard of"
    return _table(headings, [(_worker(each), "" if each.alive else "red") for each in workers])


def _worker(worker: WorkerStatus) -> tuple[str, ...]:
    return (
        printable(worker.name),
        str(worker.held),
        str(worker.slots),
        _few(worker.queues),
        "" if worker.alive else f"{span(worker.silent)} ago",
    )


def _bridges(seen: Status) -> Table:
    headings = (
        "tenant,bridge,role,connected for,channels,topics,rejected,events,lag p50 / p99,"
        "last event,enqueued,duplicates,open gaps,last heard of"
    )
    return _table(headings, [(_bridge(seen, each), _alarm(seen, each)) for each in seen.bridges])


def _bridge(seen: Status, bridge: BridgeReport) -> tuple[str, ...]:
    gone = seen.at - bridge.at
    connected = bridge.connected_since
    return (
        printable(bridge.tenant),
        printable(bridge.bridge),
        "" if gone > GONE else bridge.role,
        "" if connected is None else span(max(0.0, seen.at - connected)),
        _count(bridge.channels),
        _count(bridge.topics),
        _count(bridge.rejected),
        f"{bridge.rate:.3g}/s" if bridge.rate else "",
        f"{bridge.lag[0]:.2g} / {bridge.lag[1]:.2g} s" if bridge.lag else "",
        "" if bridge.last_event is None else f"{span(max(0.0, seen.at - bridge.last_event))} ago",
        _count(bridge.counts.get("enqueued", 0)),
        _count(bridge.counts.get("duplicates", 0)),
        _count(len(seen.gaps.get(bridge.tenant, ()))) if bridge.leads else "",
        f"{span(gone)} ago" if gone > GONE else "",
    )


def _alarm(seen: Status, bridge: BridgeReport) -> str:
    """Return the colour of a bridge that is gone, or leads and does not hear everything."""
    deaf = bridge.leads and (bridge.connected_since is None or bridge.rejected)
    return "red" if deaf or seen.at - bridge.at > GONE else ""


def _notes(seen: Status) -> Iterable[Text]:
    """Return the lines below the tables."""
    if not any(worker.alive for worker in seen.workers):
        yield Text("no worker is alive", "red")
    for tenant, pause in seen.pauses.items():
        line = f"{tenant} is paused by {pause.by} since {local_time(pause.at)}"
        yield Text(printable(line), "yellow")
    if not seen.complete:
        yield Text(f"Redis has more than {MOST:,} keys: mistyped queues may be missing", "yellow")
    for tenant, gaps in seen.gaps.items():
        since = local_time(min(gap.start for gap in gaps))
        line = f"{tenant}: {len(gaps)} gaps since {since} are still to be backfilled"
        yield Text(printable(line), "yellow")
    for tenant, found in seen.findings.items():
        kinds = ", ".join(f"{count} {entity}" for entity, count in found.items())
        yield Text(printable(f"redacted for {tenant}: {kinds}"))
    yield Text(f"held by workers: {seen.held}   dead letters: {seen.dead_letters}")


def _left_out(queues: int, systems: int) -> Iterable[Text]:
    """Return the line that says how many rows are not shown, if any."""
    counts = ((queues, "idle queues"), (systems, "systems without a call"))
    if told := ", ".join(f"{count} {what}" for count, what in counts if count):
        yield Text(f"not shown: {told} (--all)", "dim")


def _table(headings: str, rows: Sequence[tuple[tuple[str, ...], str]]) -> Table:
    """Return a table of cells and styles, without the columns in which nothing stands."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = list(enumerate(headings.split(",")))
    filled = [place for place, _ in columns if any(cells[place] for cells, _ in rows)]
    for place in filled:
        shown.add_column(columns[place][1], overflow="fold")
    for cells, style in rows:
        shown.add_row(*(Text(cells[place]) for place in filled), style=style)
    return shown


def span(seconds: float) -> str:
    """Return a time as people say it, in its largest unit: `40 s`, `3 min`, `2 h`."""
    for unit, length in _SPANS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def _count(count: int) -> str:
    return str(count) if count else ""


def _few(queues: Sequence[str]) -> str:
    """Return the names, as far as they fit into a line."""
    first = ", ".join(queues[:FEW])
    return f"{first}, {len(queues) - FEW} more" if len(queues) > FEW else first


def _color(what: object) -> str:
    return "red" if what else ""
