"""`genesys-workers doctor`: what is wrong with this installation, and what helps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tasks.errors import SettingsError
from tasks.messages import PUBLIC
from workers.cli.console import err, out, printable

if TYPE_CHECKING:
    from workers.doctor.looking import Row

STYLES = {"ok": "", "warn": "yellow", "bad": "red"}

#: What takes permissions of its own: the tasks, and three commands.
TASKS = (*PUBLIC, "rollback", "masking", "bridge")


def _tasks(given: list[str] | None) -> list[str] | None:
    for task in given or ():
        if task not in TASKS:
            raise typer.BadParameter(f"unknown; there are {', '.join(TASKS)}")
    return given


def doctor(
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this tenant; else all.")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(callback=_tasks, metavar="TASK", help="Only what these need; else all."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what is wrong with this installation, and what helps.

    It looks at settings, Redis, queues and workers, and at each tenant: whether its hosts answer,
    whether its client gets a token, what the client lacks for each task, and whether its bridge
    hears all that its rules are for. The APIs are asked for things that do not exist, or to do
    nothing: no call can have an effect. A tenant's budget bears some twenty calls.

    The exit code is 0 where nothing has to be mended (what is yellow works, and could be better), 1
    where something has to be, and 2 where a setting is wrong.

    **Examples**

    `genesys-workers doctor`

    `genesys-workers doctor --tenant acme --task merge_profiles --task sync_profile`

    `genesys-workers doctor --json | jq '.findings[] | select(.state == "bad")'`
    """
    from workers.doctor.examination import examination

    with err.status("settings") as shown:
        doing = lambda name: shown.update(Text(printable(name)))  # noqa: E731  # one line of progress
        rows = list(examination(tenant, task or (), doing))
    if as_json:
        print(json.dumps(_document(rows)))
    else:
        out.print(_table(rows))
    raise typer.Exit(exit_code(rows))


def exit_code(rows: Sequence[Row]) -> int:
    """Return 2 where a setting stops the start, 1 where anything else has to be mended, else 0."""
    from workers.doctor.examination import SETTINGS, TENANTS

    ill = {name for name, finding in rows if finding.state == "bad"}
    if ill & {SETTINGS, TENANTS}:
        return SettingsError.exit_code
    return 1 if ill else 0


def _document(rows: Sequence[Row]) -> dict[str, object]:
    findings = [{"check": name, **vars(finding)} for name, finding in rows]
    return {"sound": exit_code(rows) == 0, "findings": findings}


def _table(rows: Sequence[Row]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "check", "finding", "what helps"):
        # No word is cut off: a remedy is there to be copied.
        shown.add_column(heading, overflow="fold")
    for name, finding in rows:
        cells = (finding.state, name, finding.what, finding.remedy)
        shown.add_row(*(Text(printable(cell)) for cell in cells), style=STYLES[finding.state])
    return shown
