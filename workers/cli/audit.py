"""`genesys-workers audit`: the record of what was done."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="Look at the record of what was done.")


@app.callback()
def _group() -> None:
    """Keep `tail` a command of its own."""


@app.command()
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 20,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
) -> None:
    """Print the newest audit records of each tenant as JSON lines, oldest first.

    **Examples**

    `genesys-workers audit tail`

    `genesys-workers audit tail -n 100 --tenant acme | jq .status`
    """
    from workers.cli.services import services

    found = services()
    if tenant is not None and tenant not in found.tenants:
        known = ", ".join(found.tenants)
        raise typer.BadParameter(f"unknown; the tenants are {known}", param_hint="--tenant")
    for name in [tenant] if tenant else found.tenants:
        for record in found.audit.newest(name, lines):
            print(json.dumps(record))
