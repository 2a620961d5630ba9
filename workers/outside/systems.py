"""Which implementation of each outside system a tenant uses: the choice is made here only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Required, TypedDict

from tasks.apis.calls import CallLog, Timeouts
from tasks.apis.contact_scan import ContactScan
from tasks.apis.customers import CustomerStore
from tasks.apis.deployments import Deployments
from tasks.apis.genesys import Configurations, Genesys
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.history import ChatStates, History
from tasks.apis.http import Endpoint, Http
from tasks.apis.masking_rules import MaskingRules
from tasks.apis.notification_service import NotificationService
from tasks.apis.systems import Systems
from tasks.apis.tokens import TokenStore
from tasks.apis.wire import Wire
from tasks.mapping import SyncRules
from tasks.waiting import Waiting
from workers.letters.sealing import Seal
from workers.limits.budgets import AttemptGate, SystemGate
from workers.metrics.counts import Counts
from workers.outside import customer_stores
from workers.outside.calls import MeteredCalls, TracedCalls
from workers.outside.customer_stores import Known
from workers.outside.endpoints import genesys_endpoint, sync_endpoint
from workers.remembering.ledger import Claim
from workers.remembering.locks import Locks
from workers.remembering.newest import NewestInRedis
from workers.remembering.pending import PendingInRedis
from workers.remembering.release_history import HistoryInRedis
from workers.remembering.steps import StepsInRedis
from workers.store import Store
from workers.tenants import Tenant
from workers.watching.tracing import UNTRACED, Tracer

GENESYS = "genesys"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A way to one outside system of one tenant: where it is, and its share of calls.

    An attempt usually makes so many `calls`, None for as many as its operation says.
    """

    endpoint: Endpoint
    gate: SystemGate
    calls: int | None = None


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the connections of all tenants share in a process.

    `remember` is how many seconds the newest moments of a resource are kept, `replication` how
    often and how long a job is asked for. `seal` is for values that wait to be written.
    """

    store: Store
    tokens: TokenStore
    locks: Locks
    timeouts: Timeouts
    replication: Waiting
    remember: int
    seal: Seal = field(default_factory=Seal)
    wire: Wire = field(default_factory=Wire, repr=False)
    known: Known = field(default_factory=Known, repr=False)
    counts: Counts = field(default_factory=Counts, repr=False)
    tracer: Tracer = field(default=UNTRACED, repr=False)


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

        It usually makes `expected` calls to Genesys, and to another system what its line says.
        """
        gates = {
            name: AttemptGate(line.gate, claim.tag, line.calls or expected)
            for name, line in self.lines.items()
        }

        def http(system: str) -> Http:
            counted = MeteredCalls(
                log=log, count=partial(self.shared.counts.called, self.tenant.name, system)
            )
            about = {"tenant": self.tenant.name, "system": system}
            return Http(
                endpoint=self.lines[system].endpoint,
                tokens=self.shared.tokens,
                gate=gates[system],
                log=TracedCalls(log=counted, tracer=self.shared.tracer, about=about),
                correlation_id=correlation_id,
                wire=self.shared.wire,
            )

        yield self._systems(http, claim)

    def _systems(self, http: Callable[[str], Http], claim: Claim) -> Systems:
        shared, tenant = self.shared, self.tenant
        return Systems(
            **_contract(tenant, http(GENESYS)),
            notifications=NotificationService(http=http(GENESYS)),
            customers=self._customers(http),
            sync=tenant.sync or SyncRules(),
            newest=NewestInRedis(
                store=shared.store,
                tenant=tenant.name,
                first_at=claim.first_at,
                keep=shared.remember,
            ),
            pending=PendingInRedis(
                store=shared.store, claim=claim, seal=shared.seal, keep=shared.remember
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

    def _customers(self, http: Callable[[str], Http]) -> CustomerStore | None:
        if not (sync := self.tenant.sync):
            return None
        shared, system = self.shared, customer_stores.SYSTEM[sync.target]
        return customer_stores.opened(
            sync, http(system), tenant=self.tenant.name, store=shared.store, known=shared.known
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
    contact_scan: ContactScan
    past: History
    chat_states: ChatStates
    platform: PlatformSettings


def _contract(tenant: Tenant, http: Http) -> _Contract:
    if tenant.api == "guide":
        guide = GenesysGuide(http=http)
        return {"genesys": guide, "configurations": guide, "past": guide}
    settings = tenant.platform or PlatformSettings()
    platform = GenesysPlatform(http=http, settings=settings)
    return {
        "genesys": platform,
        "deployments": platform,
        "masking": platform,
        "contact_scan": platform,
        "past": platform,
        "chat_states": platform,
        "platform": settings,
    }


def budgets(tenant: Tenant) -> dict[str, int]:
    """Return the calls a minute that the tenant has to each of its outside systems."""
    limits = {GENESYS: tenant.requests_per_minute}
    if tenant.sync:
        limits[customer_stores.SYSTEM[tenant.sync.target]] = tenant.sync.requests_per_minute
    return limits


def connect(tenants: Iterable[Tenant], shared: Shared) -> dict[str, Connections]:
    """Return the connections of each tenant by its name."""
    return {
        tenant.name: Connections(shared=shared, tenant=tenant, lines=_lines(tenant, shared))
        for tenant in tenants
    }


def _lines(tenant: Tenant, shared: Shared) -> dict[str, Line]:
    to_genesys = genesys_endpoint(tenant, shared.timeouts)
    lines = {GENESYS: _line(tenant, shared, to_genesys, tenant.requests_per_minute)}
    if sync := tenant.sync:
        system = customer_stores.SYSTEM[sync.target]
        endpoint = sync_endpoint(tenant.name, system, sync, shared.timeouts)
        calls = customer_stores.CALLS[sync.target]
        lines[system] = _line(tenant, shared, endpoint, sync.requests_per_minute, calls)
    return lines


def _line(
    tenant: Tenant, shared: Shared, endpoint: Endpoint, per_minute: int, calls: int | None = None
) -> Line:
    gate = SystemGate(
        store=shared.store, tenant=tenant.name, system=endpoint.system, per_minute=per_minute
    )
    return Line(endpoint=endpoint, gate=gate, calls=calls)
