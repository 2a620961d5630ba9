"""Which implementation of each outside system a tenant uses: the choice is made here only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.apis.calls import CallLog, Timeouts
from tasks.apis.cxone_guide import SCOPES, CxoneGuide
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.http import Endpoint, Http
from tasks.apis.systems import Systems
from tasks.apis.tokens import ClientCredentials, Grant, JwtBearer, TokenStore
from tasks.apis.wire import Wire
from tasks.mapping import SyncRules
from workers.admission import SystemGate
from workers.ledger import Claim
from workers.newest import NewestInRedis
from workers.store import Store
from workers.tenants import Client, SyncTarget, Tenant

GENESYS = "genesys"
CXONE = "cxone"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A way to one outside system of one tenant: where it is, and its share of calls."""

    endpoint: Endpoint
    gate: SystemGate


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Connects an attempt of an operation to its tenant's outside systems.

    `remember` is how many seconds the newest moments of a resource are kept.
    """

    store: Store
    tokens: TokenStore
    tenant: Tenant
    lines: dict[str, Line]
    remember: int
    wire: Wire = field(repr=False)

    def open(self, claim: Claim, correlation_id: str, log: CallLog) -> Systems:
        """Return the tenant's systems for the attempt that `claim` grants."""

        def http(system: str) -> Http:
            line = self.lines[system]
            return Http(
                endpoint=line.endpoint,
                tokens=self.tokens,
                gate=line.gate,
                log=log,
                correlation_id=correlation_id,
                wire=self.wire,
            )

        return Systems(
            genesys=GenesysGuide(http=http(GENESYS)),
            customers=CxoneGuide(http=http(CXONE)) if CXONE in self.lines else None,
            sync=self.tenant.sync or SyncRules(),
            newest=NewestInRedis(
                store=self.store,
                tenant=self.tenant.name,
                first_at=claim.first_at,
                keep=self.remember,
            ),
            identity_attributes=self.tenant.identity_attributes,
            redaction=self.tenant.redaction,
        )

    def pause(self, system: str, seconds: float) -> None:
        """Let no call to `system` of this tenant leave for so long, from any worker."""
        self.lines[system].gate.pause(seconds)


def connect(
    tenants: Iterable[Tenant],
    *,
    store: Store,
    tokens: TokenStore,
    timeouts: Timeouts,
    remember: int,
    wire: Wire,
) -> dict[str, Connections]:
    """Return the connections of each tenant by its name; they share one wire."""
    return {
        tenant.name: Connections(
            store=store,
            tokens=tokens,
            tenant=tenant,
            lines=dict(_lines(tenant, store, timeouts)),
            remember=remember,
            wire=wire,
        )
        for tenant in tenants
    }


def _lines(tenant: Tenant, store: Store, timeouts: Timeouts) -> Iterable[tuple[str, Line]]:
    yield (
        GENESYS,
        _line(GENESYS, tenant.name, tenant, tenant.api_url, tenant.login_url, store, timeouts),
    )
    if tenant.sync:
        yield (
            CXONE,
            _line(
                CXONE, tenant.name, tenant.sync, tenant.sync.url, tenant.sync.url, store, timeouts
            ),
        )


def _line(
    system: str,
    tenant: str,
    client: Client,
    api_url: str,
    login_url: str,
    store: Store,
    timeouts: Timeouts,
) -> Line:
    endpoint = Endpoint(
        system=system,
        api_url=api_url,
        token_url=login_url + client.token_path,
        owner=f"{tenant}:{system}:{client.client_id}",
        grant=_grant(client, login_url),
        timeouts=timeouts,
    )
    gate = SystemGate(
        store=store, tenant=tenant, system=system, per_minute=client.requests_per_minute
    )
    return Line(endpoint=endpoint, gate=gate)


def _grant(client: Client, login_url: str) -> Grant:
    """Return the JWT-bearer grant where the client has a key, else client credentials."""
    scope = client.scope or (SCOPES if isinstance(client, SyncTarget) else "")
    if client.private_key_file:
        return JwtBearer(
            client_id=client.client_id,
            private_key=client.private_key_file.read_text("utf-8"),
            audience=client.jwt_audience or f"{login_url}/api/v2/oauth/token",
            scope=scope,
        )
    secret = client.client_secret.get_secret_value() if client.client_secret else ""
    return ClientCredentials(client_id=client.client_id, client_secret=secret, scope=scope)
