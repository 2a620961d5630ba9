"""`genesys-workers rates`: how many messages each queue may start, over all workers together."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from workers.cli.console import out
from workers.cli.moments import local_time
from workers.embedded.program import program
from workers.limits.rates import DEFAULT_QUEUE, QUEUES, format_rate, parse_rates, split_queue

if TYPE_CHECKING:
    from workers.app import Services
    from workers.limits.overrides import InForce, Overrides

app = typer.Typer(invoke_without_command=True)


@app.callback()
def rates(context: typer.Context) -> None:
    """Look at the rates of queues, or change them for all workers at once.

    Without a command, the rate in force of each queue is listed, and who has set it. It comes from
    the settings until `rates set` goes before them; no worker has to be started again. Where
    standard output is no terminal, each queue is a JSON object on a line of its own.

    **Examples**

    `genesys-workers rates`

    `genesys-workers rates set merge=1/s redact.acme=120/m`

    `genesys-workers rates reset merge`

    `genesys-workers rates pause acme`
    """
    if context.invoked_subcommand is None:
        found, overrides = _open()
        show(found, overrides.in_force())


@app.command("set")
def set_(
    rates: Annotated[
        list[str], typer.Argument(metavar="QUEUE=RATE", help="Such as merge=2/s or sync=100/h.")
    ],
) -> None:
    """Set rates of queues: messages a queue may start over all workers, per s, m or h.

    Each is in force from the next message on, and outlasts restarts until it is reset.

    **Examples**

    `genesys-workers rates set merge=1/s`

    `genesys-workers rates set sync=30/m redact.acme=120/m`
    """
    chosen = _parsed(rates)
    found, overrides = _open()
    _check(chosen, _queues(found), "queue", _about_queues(found))
    before = {queue: _in_force(found, overrides.in_force(), queue) for queue in chosen}
    overrides.set_rates(chosen, operator())
    said = (f"{q} {format_rate(r)} (was {format_rate(before[q])})" for q, r in chosen.items())
    _say(f"set: {', '.join(said)}")


@app.command()
def reset(
    queues: Annotated[
        list[str] | None, typer.Argument(metavar="QUEUE", help="All if left out.")
    ] = None,
) -> None:
    """Let queues go by the settings again: these, or all.

    **Examples**

    `genesys-workers rates reset`

    `genesys-workers rates reset merge redact.acme`
    """
    found, overrides = _open()
    set_ones = overrides.in_force().rates
    _check(queues or (), [*_queues(found), *set_ones], "queue", _about_queues(found))
    chosen = [queue for queue in set_ones if not queues or queue in queues]
    if chosen:
        overrides.reset_rates(chosen)
    said = (f"{queue} {format_rate(found.settings.rate(queue))}" for queue in chosen)
    _say(f"reset: {', '.join(said)}" if chosen else "nothing was set: the settings are in force")


@app.command()
def pause(tenant: Annotated[str, typer.Argument(help="Whose queues are paused.")]) -> None:
    """Let no message of a TENANT start, on any worker. What runs ends; other tenants go on.

    **Example**

    `genesys-workers rates pause acme`
    """
    found, overrides = _open()
    _check([tenant], found.tenants, "tenant", _about_tenants(found))
    overrides.pause(tenant, operator())
    _say(f"{tenant} is paused; to let it go on: {program()} rates resume {tenant}")


@app.command()
def resume(tenant: Annotated[str, typer.Argument(help="Whose queues go on.")]) -> None:
    """End the pause of a TENANT.

    **Example**

    `genesys-workers rates resume acme`
    """
    found, overrides = _open()
    paused = overrides.in_force().pauses
    _check([tenant], [*found.tenants, *paused], "tenant", _about_tenants(found))
    overrides.resume(tenant)
    _say(f"{tenant} goes on" if tenant in paused else f"{tenant} was not paused")


def show(found: Services, force: InForce) -> None:
    """Print the rate of each queue: as a table, or as JSON lines where nobody reads it."""
    if not out.is_terminal:
        for queue in _queues(found):
            print(json.dumps(_row(found, force, queue)))
        return
    shown = Table("queue", "rate", "set by", "since")
    for queue in _queues(found):
        one = force.rates.get(queue)
        by = (one.by, local_time(one.at)) if one else ("settings", "")
        shown.add_row(queue, format_rate(_in_force(found, force, queue)), *by)
    out.print(shown)
    for tenant, each in force.pauses.items():
        _say(f"{tenant} is paused by {each.by} since {local_time(each.at)}")


def operator() -> str:
    """Return who runs this command: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _open() -> tuple[Services, Overrides]:
    from workers.cli.services import services
    from workers.limits.overrides import Overrides

    found = services()
    return found, Overrides(store=found.store)


def _parsed(texts: Iterable[str]) -> Mapping[str, float]:
    try:
        chosen = parse_rates(",".join(texts))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="QUEUE=RATE") from None
    if not chosen:
        raise typer.BadParameter("names none", param_hint="QUEUE=RATE")
    return chosen


def _check(names: Iterable[str], known: Collection[str], what: str, about: str) -> None:
    """Raise `BadParameter` where one of `names` is not known; `about` says what is."""
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; {about}", param_hint=what)


def _about_queues(found: Services) -> str:
    kinds = ", ".join(QUEUES)
    others = [name for name in found.tenants if f"{QUEUES[0]}.{name}" in found.terms]
    return f"the queues are {kinds}" + (f", also with .{', .'.join(others)}" if others else "")


def _about_tenants(found: Services) -> str:
    return f"the tenants are {', '.join(found.tenants)}"


def _queues(found: Services) -> list[str]:
    """Return the queues that have rates."""
    return [queue for queue in found.terms if queue != DEFAULT_QUEUE]


def _in_force(found: Services, force: InForce, queue: str) -> float:
    one = force.rates.get(queue)
    return one.rate if one else found.settings.rate(queue)


def _row(found: Services, force: InForce, queue: str) -> dict[str, object]:
    one = force.rates.get(queue)
    paused = force.pauses.get(split_queue(queue)[1])
    return {
        "queue": queue,
        "rate": format_rate(_in_force(found, force, queue)),
        "by": one.by if one else None,
        "at": one.at if one else None,
        "paused_by": paused.by if paused else None,
    }


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
