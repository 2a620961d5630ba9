"""Which implementation of each outside system a tenant uses: the choice is made here only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Required, TypedDict

from tasks.apis.calls import CallLog, Timeouts
from tasks.apis.cxone_guide import SCOPES, CxoneGuide
from tasks.apis.deployments import Deployments
from tasks.apis.dialects import GUIDE, PLATFORM
from tasks.apis.genesys import Configurations, Genesys
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Endpoint, Http
from tasks.apis.masking_rules import MaskingRules
from tasks.apis.systems import Systems
from tasks.apis.tokens import ClientCredentials, Grant, JwtBearer, TokenStore
from tasks.apis.wire import Wire
from tasks.mapping import SyncRules
from tasks.waiting import Waiting
from workers.budgets import AttemptGate, SystemGate
from workers.ledger import Claim
from workers.locks import Locks
from workers.newest import NewestInRedis
from workers.release_history import HistoryInRedis
from workers.steps import StepsInRedis
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
class Shared:
    """What the connections of all tenants share in a process.

    `remember` is how many seconds the newest moments of a resource are kept, `replication` how
    often and how long a job is asked for.
    """

    store: Store
    tokens: TokenStore
    locks: Locks
    timeouts: Timeouts
    replication: Waiting
    remember: int
    wire: Wire = field(default_factory=Wire, repr=False)


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Connects an attempt of an operation to its tenant's outside systems."""

    shared: Shared
    tenant: Tenant
    lines: dict[str, Line]

    @contextmanager
    def open(
        self, claim: Claim, correlation_id: str, log: CallLog, expected: int
    ) -> Iterator[Systems]:
        """Open the tenant's systems for the attempt that `claim` grants.

        It usually makes `expected` calls to Genesys, and one to any other system.
        """
        gates = {
            name: AttemptGate(line.gate, claim.tag, expected if name == GENESYS else 1)
            for name, line in self.lines.items()
        }

        def http(system: str) -> Http:
            return Http(
                endpoint=self.lines[system].endpoint,
                tokens=self.shared.tokens,
                gate=gates[system],
                log=log,
                correlation_id=correlation_id,
                wire=self.shared.wire,
            )

        yield self._systems(http, claim)

    def _systems(self, http: Callable[[str], Http], claim: Claim) -> Systems:
        shared, tenant = self.shared, self.tenant
        return Systems(
            **_contract(tenant, http(GENESYS)),
            customers=CxoneGuide(http=http(CXONE)) if CXONE in self.lines else None,
            sync=tenant.sync or SyncRules(),
            newest=NewestInRedis(
                store=shared.store,
                tenant=tenant.name,
                first_at=claim.first_at,
                keep=shared.remember,
            ),
            identity_attributes=tenant.identity_attributes,
            redaction=tenant.redaction,
            replication=shared.replication,
            started=datetime.fromtimestamp(claim.first_at, UTC),
            now=lambda: datetime.fromtimestamp(claim.now(), UTC),
            lock=lambda resource: shared.locks.held(tenant.name, [resource], claim.tag),
            steps=StepsInRedis(store=shared.store, claim=claim),
            history=HistoryInRedis(store=shared.store, tenant=tenant.name),
        )

    def pause(self, system: str, seconds: float, *, by_server: bool) -> None:
        """Let no call to `system` of this tenant leave for so long, from any worker."""
        self.lines[system].gate.pause(seconds, by_server=by_server)


class _Contract(TypedDict, total=False):
    """The parts of `Systems` that an API contract implements, and its settings."""

    genesys: Required[Genesys]
    configurations: Configurations
    deployments: Deployments
    masking: MaskingRules
    platform: PlatformSettings


def _contract(tenant: Tenant, http: Http) -> _Contract:
    if tenant.api == "guide":
        guide = GenesysGuide(http=http)
        return {"genesys": guide, "configurations": guide}
    settings = tenant.platform or PlatformSettings()
    platform = GenesysPlatform(http=http, settings=settings)
    return {"genesys": platform, "deployments": platform, "masking": platform, "platform": settings}


def budgets(tenant: Tenant) -> dict[str, int]:
    """Return the calls a minute that the tenant has to each of its outside systems."""
    limits = {GENESYS: tenant.requests_per_minute}
    if tenant.sync:
        limits[CXONE] = tenant.sync.requests_per_minute
    return limits


def connect(tenants: Iterable[Tenant], shared: Shared) -> dict[str, Connections]:
    """Return the connections of each tenant by its name."""
    return {
        tenant.name: Connections(shared=shared, tenant=tenant, lines=_lines(tenant, shared))
        for tenant in tenants
    }


def _lines(tenant: Tenant, shared: Shared) -> dict[str, Line]:
    lines = {GENESYS: _line(GENESYS, tenant, tenant, tenant.api_url, tenant.login_url, shared)}
    if sync := tenant.sync:
        lines[CXONE] = _line(CXONE, tenant, sync, sync.url, sync.url, shared)
    return lines


def _line(
    system: str, tenant: Tenant, client: Client, api_url: str, login_url: str, shared: Shared
) -> Line:
    token_url = login_url + client.token_path
    grant = _grant(client, login_url)
    endpoint = Endpoint(
        system=system,
        api_url=api_url,
        token_url=token_url,
        owner=f"{tenant.name}:{system}:{client.client_id}:{_digest(token_url, grant)}",
        grant=grant,
        timeouts=shared.timeouts,
        dialect=PLATFORM if system == GENESYS and tenant.api == "platform" else GUIDE,
    )
    gate = SystemGate(
        store=shared.store,
        tenant=tenant.name,
        system=system,
        per_minute=client.requests_per_minute,
    )
    return Line(endpoint=endpoint, gate=gate)


def _digest(token_url: str, grant: Grant) -> str:
    """Tell tokens of other hosts, grants and scopes apart: none is used for another."""
    asked = "\n".join((token_url, type(grant).__name__, grant.scope))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


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
