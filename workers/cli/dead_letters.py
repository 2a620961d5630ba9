"""`genesys-workers dead-letters`: the messages that could not be carried out."""

from __future__ import annotations

import base64
import json
import time
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.console import complain, out, printable
from workers.cli.letter_choice import (
    DryRun,
    Ids,
    Limit,
    Queue,
    Reason,
    Since,
    Status,
    Task,
    Tenant,
    Until,
    Yes,
    chosen,
)
from workers.cli.letter_clearing import DISCARD, REPLAY, Way, clear
from workers.cli.letter_sealing import reseal
from workers.cli.letter_views import facts_table, letters_table, some_bytes
from workers.cli.moments import span

if TYPE_CHECKING:
    from workers.letters.dead_letters import DeadLetter

#: Letters that a terminal shows where nothing else is asked for.
SHOWN = 100

app = typer.Typer(
    help=(
        "Look at the messages that could not be carried out, replay, discard or reseal them.\n\n"
        "They are kept until then, with their bytes: none expires.\n\n"
        "**Example**\n\n`genesys-workers dead-letters list --since 2h`"
    )
)


@app.command("list")
def list_(
    tenant: Tenant = None,
    task: Task = None,
    status: Status = None,
    queue: Queue = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
) -> None:
    """List dead letters, oldest first: when, id, task, tenant, status, attempts, reason.

    A terminal shows 100, unless --limit says otherwise, and how old the oldest is. Where standard
    output is no terminal, each is a JSON object on a line of its own, and all are printed.

    **Examples**

    `genesys-workers dead-letters list --since 2h`

    `genesys-workers dead-letters list --status rejected --reason 'profile' --limit 20`

    `genesys-workers dead-letters list --tenant acme | jq -r .id`
    """
    from workers.cli.services import services

    where = chosen(tenant, task, status, queue, reason, since, until)
    letters = services().dead_letters.letters(where)
    if not out.is_terminal:
        for letter in islice(letters, limit):
            print(json.dumps(vars(letter)))
        return
    shown = list(islice(letters, limit or SHOWN))
    if shown:
        out.print(letters_table(shown))
    _say(_told(shown, more=sum(1 for _ in letters)))


def _told(shown: list[DeadLetter], more: int) -> str:
    """Return the line below the list."""
    if not shown:
        return "no dead letters"
    count = f"{len(shown):,} of {len(shown) + more:,}" if more else f"{len(shown):,}"
    hint = "; --limit shows more" if more else ""
    return f"{count} dead letters, the oldest {span(time.time() - shown[0].at)} old{hint}"


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    payload: Annotated[
        bool, typer.Option("--payload", help="The message too, personal data included.")
    ] = False,
) -> None:
    """Show everything that is known of a dead letter; of its message, the size only.

    With --payload the message is shown as well. It may hold personal data: mind who looks on, and
    where it is written to. Where standard output is no terminal, all is one JSON object; bytes
    that nobody can read are in it as `base64`.

    **Examples**

    `genesys-workers dead-letters show default:3f0c6a0e-5a70-4a4b-9d3a-0b6a3f5a6d11`

    `genesys-workers dead-letters show attributes:m-1 --payload | jq .payload.arguments`
    """
    from workers.cli.services import services

    letters = services().dead_letters
    letter = next(letters.find([id_]), None)
    if letter is None:
        complain(f"{printable(id_)}: no such dead letter")
        raise typer.Exit(1)
    content = letters.content(id_) if payload else None
    if not out.is_terminal:
        print(json.dumps({**vars(letter), **({} if content is None else _readable(content))}))
        return
    out.print(facts_table(vars(letter)))
    if content is None:
        _say("the message is not shown: it may hold personal data; --payload shows it")
    else:
        _show_content(content)


def _readable(content: bytes) -> dict[str, Any]:
    """Return a message as JSON: what could be read of it, else its bytes and why."""
    from tasks.errors import Rejected
    from workers.letters.kept_message import read

    try:
        return {"payload": read(content).shown()}
    except Rejected as error:
        return {"payload": {"unreadable": str(error), "base64": base64.b64encode(content).decode()}}


def _show_content(content: bytes) -> None:
    found = _readable(content)["payload"]
    if "unreadable" in found:
        _say(f"{found['unreadable']}\n{some_bytes(content)}")
    else:
        _say(json.dumps(found, indent=2, default=str))


REPLAYING = """
Have messages carried out after all: these, or all that fit, oldest first.

Each goes the normal way again, onto its tenant's queue and for the same operation: what has
been done meanwhile is not done twice. Its letter goes in the same step. A message that no
worker could accept is refused, and kept; then the exit code is 1. A run that is stopped can
simply be started again. More than one are asked for on a terminal, and need --yes elsewhere;
there, each is a JSON object on a line of its own.

**Examples**

`genesys-workers dead-letters replay default:m-1`

`genesys-workers dead-letters replay --tenant acme --reason 403 --since 1d --dry-run`

`genesys-workers dead-letters replay --status failed --limit 100 --yes`
"""

DISCARDING = """
Remove dead letters for good: these, or all that fit, oldest first.

The audit record says who has discarded which, and keeps nothing of their messages. More than
one are asked for on a terminal, and need --yes elsewhere; there, each is a JSON object on a
line of its own.

**Examples**

`genesys-workers dead-letters discard attributes:m-1`

`genesys-workers dead-letters discard --queue merge.acme --until 30d --dry-run`
"""


def _add(way: Way, says: str) -> None:
    """Add the command that clears letters in this way."""

    @app.command(way.verb, help=says)
    def _(
        ids: Ids = None,
        tenant: Tenant = None,
        task: Task = None,
        status: Status = None,
        queue: Queue = None,
        reason: Reason = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = None,
        dry_run: DryRun = False,
        yes: Yes = False,
    ) -> None:
        where = chosen(tenant, task, status, queue, reason, since, until)
        clear(way, ids or [], where, limit, dry_run=dry_run, yes=yes)


_add(REPLAY, REPLAYING)
_add(DISCARD, DISCARDING)
app.command()(reseal)


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
