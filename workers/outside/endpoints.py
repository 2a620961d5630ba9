"""Where a tenant's outside systems are reached, and as whom."""

from __future__ import annotations

import hashlib
from typing import Any

from tasks.apis.calls import Timeouts
from tasks.apis.cxone import access_key
from tasks.apis.cxone_guide import SCOPES
from tasks.apis.dialects import PLATFORM
from tasks.apis.http import Endpoint
from tasks.apis.tokens import ApiKey, ClientCredentials, Grant, JwtBearer
from workers.clients import Client
from workers.sync_targets import CognigyTarget, CxoneGuideTarget, CxoneTarget, SyncTarget
from workers.tenants import Tenant


def genesys_endpoint(tenant: Tenant, timeouts: Timeouts) -> Endpoint:
    """Return where the tenant's Genesys Cloud organisation is reached."""
    dialect: dict[str, Any] = {"dialect": PLATFORM} if tenant.api == "platform" else {}
    return Endpoint(
        system="genesys",
        api_url=tenant.api_url,
        timeouts=timeouts,
        **dialect,
        **_client(tenant.name, "genesys", tenant, tenant.login_url, tenant.scope),
    )


def sync_endpoint(tenant: str, system: str, sync: SyncTarget, timeouts: Timeouts) -> Endpoint:
    """Return where the profiles of `tenant` are synced to; URLs left to discovery are empty."""
    match sync:
        case CxoneGuideTarget():
            how = _client(tenant, system, sync, sync.url, sync.scope or SCOPES)
        case CxoneTarget():
            how = _access_key(tenant, system, sync)
        case CognigyTarget():
            key = ApiKey(value=sync.api_key.get_secret_value())
            how = {"owner": f"{tenant}:{system}", "grant": key}
    return Endpoint(system=system, api_url=sync.url or "", timeouts=timeouts, **how)


def _client(tenant: str, system: str, client: Client, login_url: str, scope: str) -> dict[str, Any]:
    token_url = login_url + client.token_path
    grant = _grant(client, login_url, scope)
    return {
        "token_url": token_url,
        "owner": f"{tenant}:{system}:{client.client_id}:{_digest(token_url, grant)}",
        "grant": grant,
    }


def _grant(client: Client, login_url: str, scope: str) -> Grant:
    """Return the JWT-bearer grant where the client has a key, else client credentials."""
    if client.private_key_file:
        return JwtBearer(
            client_id=client.client_id,
            private_key=client.private_key_file.read_text("utf-8"),
            audience=client.jwt_audience or f"{login_url}/api/v2/oauth/token",
            scope=scope,
        )
    secret = client.client_secret.get_secret_value() if client.client_secret else ""
    return ClientCredentials(client_id=client.client_id, client_secret=secret, scope=scope)


def _access_key(tenant: str, system: str, sync: CxoneTarget) -> dict[str, Any]:
    key_id, key_secret = sync.access_key_id, sync.access_key_secret.get_secret_value()
    grant: Grant = access_key.AccessKey(key_id=key_id, key_secret=key_secret)
    token_url, route = sync.token_url or "", access_key.ACCESS_KEY_PATH
    if sync.client_id and sync.client_secret:
        grant = access_key.ApplicationAccessKey(
            key_id=key_id,
            key_secret=key_secret,
            application_id=sync.client_id,
            application_secret=sync.client_secret.get_secret_value(),
        )
        route = access_key.APPLICATION_PATH
        token_url = token_url or sync.discovery_url + route
    asked = token_url or f"{sync.discovery_url} {sync.tenant_id}"
    return {
        "token_url": token_url,
        "token_route": route,
        "owner": f"{tenant}:{system}:{key_id}:{_digest(asked, grant)}",
        "grant": grant,
    }


def _digest(token_url: str, grant: Grant) -> str:
    """Tell tokens of other hosts, grants and scopes apart: none is used for another."""
    asked = "\n".join((token_url, type(grant).__name__, grant.scope))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
