"""`genesys-workers dead-letters`: the messages that could not be carried out."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from workers.cli.console import out
from workers.cli.moments import local_time

app = typer.Typer(help="Look at the messages that could not be carried out.")


@app.callback()
def _group() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
def list_() -> None:
    """List every dead letter, oldest first: when, task, tenant, status, reason.

    **Example**

    `genesys-workers dead-letters list`
    """
    from workers.cli.services import services

    shown = Table()
    for heading in ("when", "task", "tenant", "status", "reason"):
        shown.add_column(heading, overflow="fold")
    for letter in services().dead_letters.letters():
        facts = (letter.task, letter.tenant, letter.status, letter.reason)
        shown.add_row(local_time(letter.at), *map(Text, facts))
    out.print(shown)
    out.print(f"{shown.row_count} dead letters")
