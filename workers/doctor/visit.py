"""The doctor's own way to a tenant's outside systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from tasks.apis.http import Http
from tasks.apis.systems import Systems
from workers.app import Services
from workers.doctor.one_run import OwnTokens, Uncounted
from workers.limits.budgets import AttemptGate
from workers.outside import systems
from workers.outside.systems import Connections
from workers.outside.visits import Unlogged
from workers.remembering.ledger import Claim
from workers.tenants import Tenant


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One tenant's systems, by tokens of this run; calls count if there is a Redis to count in."""

    services: Services
    tenant: Tenant
    connections: Connections
    counted: bool
    name: str

    @classmethod
    def of(cls, services: Services, tenant: Tenant, *, counted: bool) -> Visit:
        shared = replace(services.shared, tokens=OwnTokens())
        return cls(
            services=services,
            tenant=tenant,
            connections=systems.connect([tenant], shared)[tenant.name],
            counted=counted,
            name=f"doctor-{uuid4()}",
        )

    def http(self, system: str) -> Http:
        """Return a way to one system that belongs to no operation."""
        line, shared = self.connections.lines[system], self.connections.shared
        return Http(
            endpoint=line.endpoint,
            tokens=shared.tokens,
            gate=AttemptGate(line.gate, "", 1) if self.counted else Uncounted(),
            log=Unlogged(),
            correlation_id=self.name,
            wire=shared.wire,
        )

    @contextmanager
    def systems(self) -> Iterator[Systems]:
        """Open the systems as an operation sees them."""
        now = self.services.store.now()
        nobody = Claim(
            operation_id=self.name,
            tenant=self.tenant.name,
            owner="",
            attempts=1,
            first_at=now,
            at=now,
        )
        with self.connections.open(nobody, self.name, Unlogged(), 1) as opened:
            yield opened
