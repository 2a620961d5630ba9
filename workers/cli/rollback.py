"""`genesys-workers rollback`: a web deployment back on an earlier release."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from tasks.fields import is_identifier
from workers.cli.console import complain, out, printable
from workers.cli.letter_choice import DryRun
from workers.cli.one_tenant import OneTenant, visited

if TYPE_CHECKING:
    from tasks.apis.deployments import Release
    from tasks.apis.systems import Systems
    from tasks.messages import RollbackDeployment
    from workers.app import Services

#: Seconds between two looks at whether the rollback has ended.
PAUSE = 0.25


def _identifier(given: str | None) -> str | None:
    if given is not None and not is_identifier(given):
        raise typer.BadParameter("is not an id")
    return given


def rollback(
    deployment: Annotated[
        str, typer.Argument(metavar="DEPLOYMENT_ID", callback=_identifier, help="Its id.")
    ],
    tenant: OneTenant = "default",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="CONFIGURATION:VERSION",
            callback=_identifier,
            help="The release to go back to; the one before its own if left out.",
        ),
    ] = None,
    dry_run: DryRun = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended, and say how.")] = False,
) -> None:
    """Put a web deployment back on the release that it had before our last deployment.

    It says from which release to which, and sends a message for it: a worker carries it out, after
    a deployment that is under way, and sees that guests get it. Nothing is lost of the release that
    it leaves: `--to` goes back to that one, too. Done again, it goes back one deployment further.

    Where standard output is no terminal, what it says is one JSON object; its `status` is `noop`
    where the deployment was found to have the release already. The exit code is 1 where no earlier
    release is known, or where the rollback that was waited for has failed.

    **Examples**

    `genesys-workers rollback 5f1c2d3e-… --dry-run`

    `genesys-workers rollback 5f1c2d3e-… --tenant acme --wait`

    `genesys-workers rollback 5f1c2d3e-… --to 9a8b7c6d-…:12`
    """
    from tasks.messages import RollbackDeployment
    from workers.cli.services import services

    found = services()
    message = RollbackDeployment(
        tenant=tenant, operation_id=str(uuid4()), deployment_id=deployment, to=to
    )
    with visited(found, tenant) as systems:
        plan = planned(message, systems)
    if dry_run:
        say({**plan, "status": "dry run"})
        return
    found.outbox.put(message)
    say({**plan, "status": "sent"} if not wait else {**plan, **_awaited(found, message)})


def planned(message: RollbackDeployment, systems: Systems) -> dict[str, Any]:
    """Return what the rollback does as things are. Raises what refuses it."""
    from tasks.giving import read_deployment
    from tasks.rollback import check, choose_target

    check(message, systems.genesys.capabilities)
    current: Release = read_deployment(message.deployment_id, systems).release
    return {
        "deployment": message.deployment_id,
        "from": str(current),
        "to": str(choose_target(message, systems)),
        "operation_id": message.operation_id,
    }


def _awaited(found: Services, message: RollbackDeployment) -> Mapping[str, Any]:
    """Wait for the end; return what was done, and exit with 1 and the reason where it failed."""
    name = str(message.operation_id)
    while (result := found.ledger.result(message.tenant, name)) is None:
        time.sleep(PAUSE)
    if result["status"] not in ("done", "noop"):
        complain(printable(str(result["detail"].get("reason", result["status"]))))
        raise typer.Exit(1)
    return what_was_done(result)


def what_was_done(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return from which release to which it went, whatever was planned, and the status.

    Where nothing had to be done, both are the release that the deployment had already.
    """
    detail = result["detail"]
    release = detail["release"]
    return {"from": detail["previous"] or release, "to": release, "status": result["status"]}


def say(facts: Mapping[str, Any]) -> None:
    """Print what is known, as a line, or as JSON where nobody reads it."""
    if not out.is_terminal:
        print(json.dumps(facts))
        return
    told = f"from {facts['from']} to {facts['to']}, {facts['status']}"
    if facts["status"] == "noop":
        told = f"it had {facts['to']} already, nothing had to be done"
    out.print(f"{facts['deployment']}: {told}", markup=False, highlight=False, soft_wrap=True)
