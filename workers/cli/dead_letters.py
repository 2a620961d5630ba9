"""`genesys-workers dead-letters`: the messages that could not be carried out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from workers.cli.console import out
from workers.cli.moments import local_time

if TYPE_CHECKING:
    from workers.dead_letters import DeadLetter

app = typer.Typer(help="Look at the messages that could not be carried out.")


@app.callback()
def _group() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
def list_() -> None:
    """List every dead letter, oldest first: when, id, task, tenant, status, attempts, reason.

    Where standard output is no terminal, each is a JSON object on a line of its own.

    **Examples**

    `genesys-workers dead-letters list`

    `genesys-workers dead-letters list | jq -r .id`
    """
    from workers.cli.services import services

    letters = services().dead_letters.letters()
    if not out.is_terminal:
        for letter in letters:
            print(json.dumps(vars(letter)))
        return
    shown = table(letters)
    out.print(shown)
    out.print(f"{shown.row_count} dead letters")


def table(letters: Iterable[DeadLetter]) -> Table:
    """Return the letters as a table."""
    shown = Table()
    for heading in ("when", "id", "task", "tenant", "status", "attempts", "reason"):
        shown.add_column(heading, overflow="fold")
    for letter in letters:
        facts = (letter.id, letter.task, letter.tenant, letter.status)
        attempts = str(letter.attempts)
        shown.add_row(local_time(letter.at), *map(Text, (*facts, attempts, letter.reason)))
    return shown
