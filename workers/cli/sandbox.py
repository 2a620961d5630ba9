"""`genesys-workers sandbox`: the simulated Genesys Cloud and CXone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from workers.cli.console import complain, out
from workers.embedded.loopback import HOST, is_everywhere, reachable, url_of
from workers.embedded.program import program

if TYPE_CHECKING:
    from workers.sandbox.oauth import Client
    from workers.sandbox.simulation import Simulation

Api = Literal["guide", "platform"]


def sandbox(
    host: Annotated[str, typer.Option(help="The address it listens on.")] = HOST,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 8080,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal data.")] = 7,
) -> None:
    """Run simulated Genesys Cloud and NICE CXone servers until Ctrl-C.

    All is kept in memory. What it was asked and what that changed stands under `/sandbox/journal`
    and `/sandbox/effects`.

    **Examples**

    `genesys-workers sandbox`

    `genesys-workers sandbox --port 0 --seed 42`
    """
    from workers.sandbox.options import Options
    from workers.sandbox.simulation import Simulation

    simulation = Simulation(seed=seed, options=Options(), clock=time.time)
    try:
        asyncio.run(_serve(simulation, host, port))
    except OSError as error:
        complain(f"cannot listen on {host}:{port}: {_rule(error)}")
        raise typer.Exit(1) from None


async def _serve(simulation: Simulation, host: str, port: int) -> None:
    """Serve until TERM or Ctrl-C, and say how to connect as soon as that is possible."""
    from workers.sandbox.server import listening

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with listening(simulation, host, port) as bound:
        url = url_of(reachable(host), urlsplit(bound).port or port)
        _say(f"sandbox listening on {url}")
        if is_everywhere(host):
            _say("and, for other machines, on this one's own addresses")
        organization = simulation.world.organization("default")
        guide, platform = organization.contacts, organization.external_contacts
        _say(introduction(url, {"guide": next(iter(guide)), "platform": next(iter(platform))}))
        await stopped.wait()


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _rule(error: OSError) -> str:
    """Return what the system says, without what asyncio wraps around it."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return str(error.strerror)
    return os.strerror(error.errno)


def introduction(url: str, contact_ids: Mapping[Api, str]) -> str:
    """Return what connects clients with the sandbox at `url`, and a message for each contract."""
    from workers.sandbox.seed import seeded_clients

    clients = seeded_clients()
    lines = ["", "OAuth clients (id, secret, system, organisation):"]
    lines += [f"  {c.client_id}  {_secret(c)}  {c.system}  {c.organization}" for c in clients]
    lines += ["", "Connect a worker (as lines of a .env file, or exported):"]
    lines += [f"  {name}={value}" for name, value in connecting_variables(url).items()]
    lines += ["", "or, for the Platform API instead of the guides', with other GENESYS_ lines:"]
    lines += [f"  {name}={value}" for name, value in genesys_variables(url, "platform").items()]
    lines += ["", "With a Redis that runs (REDIS_URL, else redis://localhost:6379/0), there:"]
    lines += [f"  {program()} worker"]
    for api, contact_id in contact_ids.items():
        message = json.dumps({"contact_id": contact_id})
        lines += [f"  echo '{message}' | {program()} enqueue sync_profile  # {api}"]
    return "\n".join([*lines, ""])


def connecting_variables(url: str) -> Mapping[str, str]:
    """Return the environment that connects a worker's tenant `default` with the sandbox."""
    client = _own_client("cxone")
    return {
        **genesys_variables(url, "guide"),
        "CXONE_URL": f"{url}/cxone",
        "CXONE_CLIENT_ID": client.client_id,
        "CXONE_CLIENT_SECRET": _secret(client),
    }


def genesys_variables(url: str, api: Api) -> Mapping[str, str]:
    """Return the part of that environment that is about Genesys Cloud, by its contract."""
    system = "genesys" if api == "guide" else "platform"
    client = _own_client(system)
    return {
        "GENESYS_API": api,
        "GENESYS_API_URL": f"{url}/{system}",
        "GENESYS_LOGIN_URL": f"{url}/{system}",
        "GENESYS_CLIENT_ID": client.client_id,
        "GENESYS_CLIENT_SECRET": _secret(client),
    }


def _own_client(system: str) -> Client:
    from workers.sandbox.seed import seeded_clients

    own = (c for c in seeded_clients() if (c.system, c.organization) == (system, "default"))
    return next(own)


def _secret(client: Client) -> str:
    return client.secret.get_secret_value() if client.secret else ""
