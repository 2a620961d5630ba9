"""`genesys-workers enqueue`: JSON lines onto a queue, validated."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import Progress

from tasks.errors import Rejected
from tasks.messages import PUBLIC, Message
from workers import broker
from workers.cli import tasks
from workers.cli.console import complain, err
from workers.sending.enqueue import Form, Line
from workers.store import INFRASTRUCTURE

STDIN = "-"

#: Lines between two strokes of the progress bar.
STROKE = 100

#: Sends a message, or returns False for one whose operation is known already.
Send = Callable[[Message], bool]


def enqueue(
    task: Annotated[
        str, typer.Argument(callback=tasks.known, autocompletion=tasks.complete, help="Its name.")
    ],
    source: Annotated[
        str, typer.Option("--json", help="The file to read; - is standard input.")
    ] = STDIN,
    tenant: Annotated[str | None, typer.Option(help="The tenant of lines that name none.")] = None,
    strict: Annotated[bool, typer.Option(help="Enqueue nothing if any line is bad.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only.")] = False,
) -> None:
    """Validate messages and put them on their queue: one JSON object a line.

    A line is the keyword arguments of TASK. Bad lines are refused one by one, with their numbers
    on standard error; then the exit code is 1. Lines whose `operation_id` is known already are
    not sent again, so that sending a file twice is harmless. A run that is stopped says how far it
    came.

    **Examples**

    `genesys-workers enqueue merge_profiles --json merges.jsonl`

    `echo '{"contact_id": "c-1"}' | genesys-workers enqueue sync_profile --tenant acme`

    `genesys-workers enqueue set_attributes --json calls.jsonl --strict --dry-run`
    """
    from workers.cli.services import services

    found = services()
    form = Form(model=PUBLIC[task], tenants=found.tenants, tenant=tenant)
    send = _keep if dry_run else found.outbox.put
    if not dry_run:
        # One that is away is met at the first line, which says how far it came.
        with suppress(*INFRASTRUCTURE):
            broker.check(found.store.redis)
    with _opened(source, again=strict) as stream:
        if strict:
            refused = carry(form, stream, _keep).refused
            stream.seek(0)
            if refused:
                complain(f"enqueued nothing: {refused} lines are bad")
                raise typer.Exit(1)
        count = carry(form, stream, send, told="found good" if dry_run else "enqueued")
    print(count, file=sys.stderr)
    raise typer.Exit(1 if count.refused else 0)


def _keep(_: Message) -> bool:
    """Send nothing."""
    return True


@dataclass
class Count:
    """How many lines were good, as `told`, known already, and refused; where it stands."""

    told: str
    good: int = 0
    known: int = 0
    refused: int = 0
    #: The number of the last line that was sent, and of the one that is being sent.
    sent: int = 0
    sending: int = 0

    def __str__(self) -> str:
        known = f", known already {self.known}" if self.known else ""
        return f"{self.told} {self.good}{known}, refused {self.refused}"

    def where(self) -> str:
        """Say how far it came, for whoever goes on from there."""
        last = f"line {self.sent} was the last one" if self.sent else "not one line was sent"
        doubt = f"; line {self.sending} may be on its queue too" if self.sending else ""
        return f"stopped: {self}; {last}{doubt}"


def carry(form: Form, stream: BinaryIO, send: Send, *, told: str = "found good") -> Count:
    """Send the message of every good line of `stream`; complain about every other.

    What stops it is passed on, after saying on standard error how far it came.
    """
    count = Count(told)
    try:
        _carry(form, stream, send, count)
    except (KeyboardInterrupt, *INFRASTRUCTURE):
        complain(count.where())
        raise
    return count


def _carry(form: Form, stream: BinaryIO, send: Send, count: Count) -> None:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        bar = progress.add_task("lines", total=_size(stream))
        done = 0
        for line in form.lines(stream):
            _carry_line(line, send, count)
            done += line.length
            if line.number % STROKE == 0:
                progress.update(bar, completed=done, description=f"{line.number:,} lines")


def _carry_line(line: Line, send: Send, count: Count) -> None:
    if line.message is None:
        count.refused += 1
        complain(f"line {line.number}: {line.problem}")
    else:
        count.sending = line.number
        try:
            sent = send(line.message)
        except Rejected as error:
            count.refused += 1
            complain(f"line {line.number}: {error}")
            return
        count.good += sent
        count.known += not sent
        count.sent, count.sending = line.number, 0


def _size(stream: BinaryIO) -> int | None:
    """Return the bytes of `stream`, None for a pipe."""
    if not stream.seekable():
        return None
    place = stream.tell()
    size = stream.seek(0, 2)
    stream.seek(place)
    return size


@contextmanager
def _opened(source: str, *, again: bool) -> Iterator[BinaryIO]:
    """Open the source; `again` makes one that can be read twice, a pipe by way of a file."""
    if source != STDIN:
        try:
            stream = Path(source).open("rb")  # noqa: SIM115  # closed below
        except OSError as error:
            raise typer.BadParameter(f"{source}: {error.strerror}", param_hint="--json") from None
        with stream:
            yield stream
    elif again:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
    else:
        yield sys.stdin.buffer
