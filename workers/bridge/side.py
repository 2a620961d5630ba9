"""One tenant's side of a bridge: it leads or stands by, listens, and fills gaps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tasks.errors import SettingsError
from workers.bridge.backfilling.backfill import Backfill
from workers.bridge.backfilling.patience import Patience
from workers.bridge.backfilling.recovery import Recovery
from workers.bridge.intake import Intake
from workers.bridge.judging.rules import RuleSet
from workers.bridge.listening.means import Timing
from workers.bridge.listening.topics import topics_of
from workers.bridge.listening.websocket import WebSocketSource
from workers.bridge.state.backoff import Waits
from workers.bridge.state.gaps import Gaps
from workers.bridge.state.leadership import Leadership, lead
from workers.bridge.watching.health import TenantHealth
from workers.bridge.watching.metrics import BridgeMetrics
from workers.watching.telemetry import describe, log

if TYPE_CHECKING:
    from workers.app import Services
    from workers.tenants import Tenant

#: Seconds after a fault of ours until the tenant is listened to again, by whoever leads then.
AFTER_FAULT = 5.0


class Side:
    """What a bridge does for one tenant besides receiving."""

    def __init__(
        self,
        services: Services,
        tenant: Tenant,
        rules: RuleSet,
        *,
        intake: Intake,
        metrics: BridgeMetrics,
    ) -> None:
        if tenant.bridge is None:
            raise SettingsError(f"tenants.{tenant.name}.bridge: is required")
        self.tenant = tenant.name
        self._settings = tenant.bridge
        self._metrics = metrics
        self._leadership = Leadership(services.store, tenant.name)
        self._topics = topics_of(tenant.bridge, rules)
        self._source = WebSocketSource.of(
            services,
            tenant.name,
            self._topics,
            intake=intake,
            metrics=metrics,
            timing=Timing(failed=Waits(longest=tenant.bridge.longest_wait_seconds)),
        )
        self._backfill = Backfill(
            tenant=tenant.name,
            settings=tenant.bridge,
            gaps=Gaps(store=services.store, tenant=tenant.name),
            recovery=Recovery(Patience(services, tenant.name), tenant, tenant.bridge, rules),
            intake=intake,
            metrics=metrics,
        )

    async def work(self) -> None:
        """Lead whenever nobody else does, until cancelled; a fault is told, and gone on after."""
        while self._settings.listens:
            try:
                await lead(self._leadership, self._lead)
            except Exception as error:  # noqa: BLE001  # whatever it is, other tenants go on
                log.error("bridge.fault", tenant=self.tenant, error=describe(_first(error)))
            await asyncio.sleep(AFTER_FAULT)

    async def _lead(self) -> None:
        self._metrics.leader(self.tenant, True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._source.run(), name=f"channels of {self.tenant}")
                group.create_task(self._backfill.run(), name=f"backfill of {self.tenant}")
        finally:
            self._metrics.leader(self.tenant, False)

    @property
    def leads(self) -> bool:
        return self._settings.listens and self._leadership.leads

    def health(self) -> TenantHealth:
        """Return how it is."""
        return TenantHealth(
            tenant=self.tenant,
            listens=self._settings.listens,
            leads=self.leads,
            connected=self.leads and self._source.connected_since is not None,
            open_gaps=self._backfill.open_gaps,
            rejected_topics=self._source.rejected,
        )

    def facts(self) -> dict[str, Any]:
        """Return the fields of its report."""
        return {
            "leads": self.leads,
            "listens": self._settings.listens,
            "receives": self._settings.secret is not None,
            "channels": self._source.channels,
            "topics": len(self._topics.wanted),
            "rejected": self._source.rejected,
            "connected_since": self._source.connected_since if self.leads else None,
            **self._metrics.snapshot(self.tenant),
        }


def _first(error: BaseException) -> BaseException:
    """Return what a group of errors is about."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
