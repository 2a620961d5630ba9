"""`genesys-workers bridge reconcile`: a time by hand, as a backfill does it after a gap."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tasks.errors import WorkerError
from tasks.messages import DEFAULT_TENANT
from workers.cli.bridged_tenant import bridged
from workers.cli.console import complain, err, out, printable
from workers.cli.letter_choice import DryRun, moment

if TYPE_CHECKING:
    from workers.app import Services
    from workers.bridge.intake import Puts, Taken
    from workers.bridge.judging.matching import Wanted
    from workers.bridge.judging.rules import RuleSet
    from workers.bridge.publishing.once import Put
    from workers.bridge.settings import BridgeSettings

#: What is shown of an argument that is no id.
MASK = "***"


def _moment(given: str) -> str:
    moment(given)
    return given


def reconcile(
    since: Annotated[
        str,
        typer.Option(metavar="WHEN", callback=_moment, help="From then: 2h (ago), or ISO 8601."),
    ],
    until: Annotated[
        str,
        typer.Option(metavar="WHEN", callback=_moment, help="Up to then; now if left out."),
    ] = "0s",
    tenant: Annotated[str, typer.Option("--tenant", help="Whose events they are.")] = (
        DEFAULT_TENANT
    ),
    dry_run: DryRun = False,
) -> None:
    """Ask the API what happened in a time, and put on the queues what is not known yet.

    It is what a bridge does by itself after a gap in what it heard: chats that ended, or whose
    customers left, and, on the platform contract, attributes as they are now; as far as the
    tenant's bridge could have heard of them, and its rules recover them. What was heard, or found
    before, makes no second message. With `--dry-run` each message that would be sent is shown.

    It leaves the API's budget to live work, and waits where that has used it up. Where standard
    output is no terminal, each line is a JSON object. The exit code is 1 where the API or the
    broker refused: what was found until then is on the queues, and the command may be repeated.

    **Examples**

    `genesys-workers bridge reconcile --since 2h --dry-run`

    `genesys-workers bridge reconcile --tenant acme --since 2026-03-01T08:00Z --until 2026-03-02`
    """
    from workers.cli.services import services

    start, end = (datetime.fromtimestamp(moment(each), UTC) for each in (since, until))
    if start >= end:
        raise typer.BadParameter("must be earlier than --until", param_hint="--since")
    found = services()
    settings, rules = bridged(found, tenant)
    wanted = Reconciliation(tenant, settings, rules, start, end, dry_run)
    try:
        taken, tally = asyncio.run(_reconcile(found, wanted))
    except WorkerError as error:
        complain(f"{error}; it may be repeated, and sends nothing twice")
        raise typer.Exit(1) from None
    if dry_run:
        _show_messages(tally.new)
    _show_figures(taken, tally, dry_run=dry_run)


class Tally:
    """Puts messages by something else, and notes what became of them."""

    def __init__(self, puts: Puts) -> None:
        self._puts = puts
        self.by_rule: Counter[tuple[str, Put]] = Counter()
        self.new: list[Wanted] = []

    async def put(self, wanted: Sequence[Wanted]) -> Sequence[Put]:
        """Put them, and return what each was."""
        puts = await self._puts.put(wanted)
        for each, put in zip(wanted, puts, strict=True):
            self.by_rule[each.rule, put] += 1
            if put == "new":
                self.new.append(each)
        return puts


@dataclass(frozen=True)
class Reconciliation:
    """What is asked for."""

    tenant: str
    settings: BridgeSettings
    rules: RuleSet
    start: datetime
    end: datetime
    dry_run: bool


async def _reconcile(services: Services, wanted: Reconciliation) -> tuple[Taken, Tally]:
    from workers.bridge.backfilling.patience import Patience
    from workers.bridge.backfilling.recovery import Recovery
    from workers.bridge.intake import Intake, Taken
    from workers.bridge.publishing.foreseen import Foreseeing
    from workers.bridge.publishing.publisher import Publisher
    from workers.bridge.watching.metrics import BridgeMetrics

    name, settings, rules = wanted.tenant, wanted.settings, wanted.rules
    async with AsyncExitStack() as stack:
        puts: Puts = Foreseeing(services.store)
        if not wanted.dry_run:
            puts = await stack.enter_async_context(Publisher(services))
        tally, taken = Tally(puts), Taken()
        intake = Intake(rules={name: rules}, publisher=tally, metrics=BridgeMetrics())
        tell, sleep = stack.enter_context(_progress())
        patience = Patience(services, name, sleep)
        recovery = Recovery(patience, services.tenants[name], settings, rules)
        found = recovery.events(wanted.start, wanted.end, set())
        batches = await stack.enter_async_context(aclosing(found))
        async for events in batches:
            taken += await intake.take(name, events)
            tell(taken.events)
        return taken, tally


@contextmanager
def _progress() -> Iterator[tuple[Callable[[int], None], Callable[[float], Awaitable[None]]]]:
    """Yield what shows how many events were found, and what sleeps, and shows why."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} events"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        bar = progress.add_task("asking", total=None)

        async def sleep(seconds: float) -> None:
            progress.update(bar, description=f"waiting {seconds:.0f} s for the API")
            await asyncio.sleep(seconds)
            progress.update(bar, description="asking")

        yield lambda count: progress.update(bar, completed=count), sleep


def _show_messages(wanted: Sequence[Wanted]) -> None:
    shown = Table("occurred", "rule", "task", "arguments", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in wanted:
        facts = _facts(each)
        if not out.is_terminal:
            print(json.dumps(facts))
            continue
        arguments = "\n".join(f"{name} = {value}" for name, value in facts["arguments"].items())
        cells = (facts["occurred"], facts["rule"], facts["task"], arguments)
        shown.add_row(*(Text(printable(cell)) for cell in cells))
    if shown.row_count:
        out.print(shown)


def _facts(wanted: Wanted) -> dict[str, Any]:
    from tasks.messages import Message

    given = wanted.message.model_dump(exclude_defaults=True, exclude={*Message.model_fields})
    return {
        "occurred": wanted.at.isoformat(timespec="milliseconds"),
        "rule": wanted.rule,
        "task": wanted.message.task,
        "arguments": {name: _shown(name, value) for name, value in given.items()},
        "status": "would be enqueued",
    }


def _shown(name: str, value: Any) -> str:
    if not name.endswith(("_id", "_ids")):
        return MASK
    return " ".join(value) if isinstance(value, list) else str(value)


def _show_figures(taken: Taken, tally: Tally, *, dry_run: bool) -> None:
    figures = {
        "events": taken.events,
        "enqueued": taken.enqueued,
        "known": taken.duplicates,
        "dropped": taken.dropped,
        "unmatched": taken.unmatched,
    }
    if not out.is_terminal:
        print(json.dumps({**figures, "status": "dry run" if dry_run else "done"}))
        return
    out.print(_table(figures, tally, "would be enqueued" if dry_run else "enqueued"))


def _table(figures: Mapping[str, int], tally: Tally, enqueued: str) -> Table:
    names = {
        "events": "events found",
        "enqueued": f"messages that {enqueued}" if " " in enqueued else "messages enqueued",
        "known": "known already",
        "dropped": "dropped by their rule",
        "unmatched": "of no rule's interest",
    }
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    for name, count in figures.items():
        shown.add_row(names[name], f"{count:,}")
        if name == "enqueued":
            for (rule, put), each in sorted(tally.by_rule.items()):
                if put == "new":
                    shown.add_row(f"  by {rule}", f"{each:,}")
    return shown
