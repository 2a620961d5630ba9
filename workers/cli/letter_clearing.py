"""How `dead-letters replay` and `discard` go: choose, show or ask, carry out, and say how many."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import typer
from rich.progress import track
from rich.table import Table

from workers.cli.console import complain, err, out, printable
from workers.cli.letter_choice import Choice
from workers.cli.letter_views import letters_table, plans_table
from workers.cli.rates import operator
from workers.store import INFRASTRUCTURE

if TYPE_CHECKING:
    from workers.letters.clearing import Clearing
    from workers.letters.dead_letters import DeadLetter, Filter
    from workers.letters.replay import Plan

#: Letters that a dry run shows on a terminal, and a question.
SHOWN, ASKED = 100, 20


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to clear letters: its name and past, what it plans, shows and does."""

    verb: str
    past: str
    plan: Callable[[Clearing, DeadLetter], Plan]
    table: Callable[[Iterable[Plan]], Table]
    act: Callable[[Clearing, Iterable[DeadLetter]], Iterator[Plan]]


def _removal(_: Clearing, letter: DeadLetter) -> Plan:
    from workers.letters.replay import Plan

    return Plan(letter=letter)


REPLAY = Way(
    verb="replay",
    past="replayed",
    plan=lambda clearing, letter: clearing.replay.plan(letter),
    table=plans_table,
    act=lambda clearing, letters: clearing.replayed(letters),
)

DISCARD = Way(
    verb="discard",
    past="discarded",
    plan=_removal,
    table=lambda plans: letters_table(plan.letter for plan in plans),
    act=lambda clearing, letters: clearing.discarded(letters),
)


@dataclass
class Count:
    """How many letters were dealt with, as `told`, and how many were refused."""

    told: str
    good: int = 0
    refused: int = 0

    def passing(self, plans: Iterable[Plan]) -> Iterator[Plan]:
        """Yield `plans` and count each."""
        for plan in plans:
            self.good += not plan.refusal
            self.refused += bool(plan.refusal)
            yield plan

    def __str__(self) -> str:
        return f"{self.told} {self.good:,}, refused {self.refused:,}"


def clear(
    way: Way, ids: Sequence[str], where: Filter, limit: int | None, *, dry_run: bool, yes: bool
) -> None:
    """Clear the letters that are chosen, or show what would become of them.

    Raises `Exit` with code 1 where one of them was refused or is not there.
    """
    clearing = _clearing()
    # What fails again meanwhile is a letter of its own, which nobody has asked for.
    where = replace(where, until=min(where.until, clearing.letters.store.now()))
    choice = Choice(source=clearing.letters, where=where, ids=ids, limit=limit)
    missing = choice.missing()
    for name in missing:
        complain(f"{printable(name)}: no such dead letter")
    plans = (way.plan(clearing, letter) for letter in choice.letters())
    count = Count(f"would have {way.past}" if dry_run else way.past)
    if dry_run:
        _show(way, count.passing(plans))
    else:
        total = _asked(way, choice, plans, yes=yes)
        with _told(count), clearing.begun():
            acted = count.passing(way.act(clearing, choice.letters()))
            _tell(track(acted, way.verb, total, console=err, transient=True, disable=_is_quiet()))
    print(count, file=sys.stderr)
    raise typer.Exit(1 if count.refused or missing else 0)


def _clearing() -> Clearing:
    from workers.cli.services import services
    from workers.letters.clearing import Clearing
    from workers.letters.replay import Replay
    from workers.sending.outbox import Outbox

    found = services()
    outbox = Outbox(app=found.producer.app, store=found.store, keep=found.settings.ledger_seconds)
    replay = Replay(letters=found.dead_letters, tenants=found.tenants, outbox=outbox)
    return Clearing(replay=replay, audit=found.audit, by=operator())


def _asked(way: Way, choice: Choice, plans: Iterator[Plan], *, yes: bool) -> int:
    """Ask whether all of the letters are meant, where they are several; return their number.

    Raises `Abort` where they are not, and `BadParameter` where nobody can be asked.
    """
    total = sum(1 for _ in choice.letters())
    if total > 1 and not yes:
        if not (sys.stdin.isatty() and out.is_terminal):
            raise typer.BadParameter(f"is needed to {way.verb} {total:,}", param_hint="--yes")
        out.print(way.table(islice(plans, ASKED)))
        more = f", {total - ASKED:,} of them not shown" if total > ASKED else ""
        typer.confirm(f"{way.verb} {total:,} dead letters{more}?", abort=True)
    return total


@contextmanager
def _told(count: Count) -> Iterator[None]:
    """Say how far it came where it is stopped."""
    from workers.letters.clearing import Occupied

    try:
        yield
    except Occupied as error:
        complain(f"{printable(str(error))}; {count}")
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, *INFRASTRUCTURE):
        complain(f"stopped: {count}; letters of the last step may be gone as well")
        raise


def _show(way: Way, plans: Iterator[Plan]) -> None:
    """Show what would become of letters: the first ones on a terminal, all elsewhere."""
    if out.is_terminal:
        out.print(way.table(islice(plans, SHOWN)))
    _tell(plans)


def _tell(plans: Iterable[Plan]) -> None:
    """Tell of each plan in a JSON line, where nobody reads it, and complain about refusals."""
    for plan in plans:
        if plan.refusal:
            complain(f"{printable(plan.letter.id)}: {printable(plan.refusal)}")
        if not out.is_terminal:
            facts = {
                "operation_id": plan.operation_id,
                "queue": plan.queue,
                "refused": plan.refusal,
            }
            print(json.dumps({"id": plan.letter.id, **{k: v for k, v in facts.items() if v}}))


def _is_quiet() -> bool:
    return not err.is_terminal
