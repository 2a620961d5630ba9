"""The options that say which dead letters a command is about, and the letters they choose."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from tasks.errors import Conflict, Failed, Rejected, Unsupported

if TYPE_CHECKING:
    from workers.letters.dead_letters import DeadLetter, DeadLetters, Filter

STATUSES = tuple(error.status for error in (Rejected, Conflict, Unsupported, Failed))

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _status(given: str | None) -> str | None:
    if given is not None and given not in STATUSES:
        raise typer.BadParameter(f"unknown; a letter's status is {', '.join(STATUSES)}")
    return given


def _moment(given: str | None) -> str | None:
    if given is not None:
        moment(given)
    return given


def moment(text: str) -> float:
    """Return the epoch seconds that an option names. Raises `BadParameter` for any other text."""
    if ago := _AGO.fullmatch(text):
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(
            f"{text!r} is neither a time ago such as 90s, 30m, 2h or 7d nor an ISO 8601 date-time"
        ) from None


Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="All if left out.")]
Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Task = Annotated[str | None, typer.Option(help="Only messages for this task.")]
Status = Annotated[
    str | None, typer.Option(callback=_status, help=f"Only one of {', '.join(STATUSES)}.")
]
Queue = Annotated[str | None, typer.Option(help="Only what came from this queue.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Only where it says this.")]
Since = Annotated[
    str | None,
    typer.Option(callback=_moment, metavar="WHEN", help="Not older: 2h (ago), or ISO 8601."),
]
Until = Annotated[
    str | None,
    typer.Option(callback=_moment, metavar="WHEN", help="Older: 2h (ago), or ISO 8601."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, only.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest ones.")]


def chosen(
    tenant: str | None,
    task: str | None,
    status: str | None,
    queue: str | None,
    reason: str | None,
    since: str | None,
    until: str | None,
) -> Filter:
    """Return what the options choose."""
    from workers.letters.dead_letters import Filter

    where = Filter(tenant=tenant, task=task, status=status, queue=queue, reason=reason)
    if since is not None:
        where = replace(where, since=moment(since))
    if until is not None:
        where = replace(where, until=moment(until))
    return where


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Letters to be replayed or discarded: those with these `ids`, or all, that `where` fits."""

    source: DeadLetters
    where: Filter
    ids: Sequence[str] = ()
    limit: int | None = None

    def letters(self) -> Iterator[DeadLetter]:
        """Yield them, each time it is called; as many as there may be, one batch in memory."""
        found = self._named() if self.ids else self.source.letters(self.where)
        return islice(found, self.limit)

    def missing(self) -> list[str]:
        """Return the ids of which there is no letter."""
        there = {letter.id for letter in self.source.find(list(self.ids))}
        return [name for name in self.ids if name not in there]

    def _named(self) -> Iterator[DeadLetter]:
        return filter(self.where.fits, self.source.find(list(dict.fromkeys(self.ids))))
