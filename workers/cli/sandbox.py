"""`genesys-workers sandbox`: the simulated Genesys Cloud and CXone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.console import complain, out
from workers.embedded.loopback import HOST, free_port, url_of

if TYPE_CHECKING:
    from workers.sandbox.oauth import Client


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
    from workers.sandbox import serve

    port = port or free_port(host)
    out.print(introduction(url_of(host, port)), markup=False, highlight=False, soft_wrap=True)
    try:
        serve(host, port, seed=seed)
    except OSError as error:
        complain(f"cannot listen on {host}:{port}: {error.strerror}")
        raise typer.Exit(1) from None


def introduction(url: str) -> str:
    """Return what connects clients with the sandbox at `url`."""
    from workers.sandbox.seed import seeded_clients

    clients = seeded_clients()
    lines = ["OAuth clients (id, secret, system, organisation):"]
    lines += [f"  {c.client_id}  {_secret(c)}  {c.system}  {c.organization}" for c in clients]
    lines += ["", "Connect a worker (as lines of a .env file, or exported):"]
    lines += [f"  {name}={value}" for name, value in connecting_variables(url).items()]
    return "\n".join([*lines, ""])


def connecting_variables(url: str) -> Mapping[str, str]:
    """Return the environment that connects a worker's tenant `default` with the sandbox."""
    from workers.sandbox.seed import seeded_clients

    own = {c.system: c for c in seeded_clients() if c.organization == "default"}
    return {
        "GENESYS_API": "guide",
        "GENESYS_API_URL": f"{url}/genesys",
        "GENESYS_LOGIN_URL": f"{url}/genesys",
        "GENESYS_CLIENT_ID": own["genesys"].client_id,
        "GENESYS_CLIENT_SECRET": _secret(own["genesys"]),
        "CXONE_URL": f"{url}/cxone",
        "CXONE_CLIENT_ID": own["cxone"].client_id,
        "CXONE_CLIENT_SECRET": _secret(own["cxone"]),
    }


def _secret(client: Client) -> str:
    return client.secret.get_secret_value() if client.secret else ""
