"""The tenant that a command is about, and the way to its outside systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tasks.errors import WorkerError
from workers.cli.console import complain

if TYPE_CHECKING:
    from tasks.apis.systems import Systems
    from workers.app import Services

OneTenant = Annotated[str, typer.Option("--tenant", help="Whose organisation it is.")]


def check_tenant(services: Services, tenant: str) -> None:
    """Raise `BadParameter` for a tenant that this installation does not have."""
    if tenant not in services.tenants:
        known = ", ".join(services.tenants)
        raise typer.BadParameter(f"unknown; the tenants are {known}", param_hint="--tenant")


@contextmanager
def visited(services: Services, tenant: str) -> Iterator[Systems]:
    """Open the tenant's systems in the block; what they refuse is one line, and the exit code 1."""
    from workers.outside.visits import visiting

    check_tenant(services, tenant)
    try:
        with visiting(services, tenant) as systems:
            yield systems
    except WorkerError as error:
        complain(str(error))
        raise typer.Exit(1) from None
