"""Tenants whose outside systems are the sandbox's, as a `TENANTS_FILE` describes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workers.sandbox.testing import SandboxHandle

#: More calls a minute than any test makes, ours and the sandbox's.
UNLIMITED = 1_000_000

CLIENTS = {
    "default": ("sandbox-client", "sandbox-secret", "sandbox-cxone", "sandbox-cxone-secret"),
    "acme": ("acme-client", "acme-secret", "acme-cxone", "acme-cxone-secret"),
}

PLATFORM_CLIENTS = {
    "default": ("platform-client", "platform-secret"),
    "acme": ("acme-platform", "acme-platform-secret"),
}

Table = dict[str, Any]


def tenant(sandbox: SandboxHandle, name: str = "default", **changes: Any) -> Table:
    """Return the table of a tenant that the sandbox knows; a change to None leaves a key out."""
    client_id, secret, cxone_id, cxone_secret = CLIENTS[name]
    sync = {
        "target": "cxone-guide",
        "url": sandbox.cxone_url,
        "client_id": cxone_id,
        "client_secret": cxone_secret,
        "requests_per_minute": UNLIMITED,
        "coalesce_seconds": 0,
    }
    table = {
        "api": "guide",
        "api_url": sandbox.genesys_url,
        "login_url": sandbox.genesys_url,
        "client_id": client_id,
        "client_secret": secret,
        "requests_per_minute": UNLIMITED,
        "sync": sync,
        **changes,
    }
    return {key: value for key, value in table.items() if value is not None}


def platform_tenant(sandbox: SandboxHandle, name: str = "default", **changes: Any) -> Table:
    """Return the table of the tenant whose organisation answers to the Platform API."""
    client_id, secret = PLATFORM_CLIENTS[name]
    return tenant(
        sandbox,
        name,
        **{
            "api": "platform",
            "api_url": sandbox.platform_url,
            "login_url": sandbox.platform_url,
            "client_id": client_id,
            "client_secret": secret,
            **changes,
        },
    )


def tenants_file(folder: Path, **tenants: Table) -> str:
    """Write `tenants` to a file in `folder` and return its path."""
    path = folder / "tenants.toml"
    path.write_text("\n".join(_lines("tenants", tenants)), "utf-8")
    return str(path)


def _lines(path: str, table: Table) -> list[str]:
    own = [f"{key} = {json.dumps(v)}" for key, v in table.items() if not isinstance(v, dict)]
    inner = [_lines(f"{path}.{key}", v) for key, v in table.items() if isinstance(v, dict)]
    return [f"[{path}]", *own, *(line for lines in inner for line in lines)]
