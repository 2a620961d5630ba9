"""The bridge as one process: what it is made of, and how it begins and ends.

The receiver takes events in every bridge that runs. By WebSocket, and by backfills, one bridge
listens for a tenant: the one that leads. Each side ends only with the process; what fails in one
is told, and tried again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from tasks.errors import SettingsError
from workers.bridge.intake import Intake
from workers.bridge.judging import rules
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.receiving import http_server
from workers.bridge.receiving.receiver import Receiver
from workers.bridge.side import Side
from workers.bridge.watching.health import Health
from workers.bridge.watching.metrics import BridgeMetrics
from workers.bridge.watching.reporting import report
from workers.embedded.loopback import reachable, url_of
from workers.store import INFRASTRUCTURE
from workers.watching.telemetry import log

if TYPE_CHECKING:
    from workers.app import Services
    from workers.bridge.judging.rules import RuleSet
    from workers.bridge.settings import BridgeSettings


def run(services: Services) -> int:
    """Run a bridge until TERM or Ctrl-C, and return the exit code.

    Raises `SettingsError` where no tenant has a bridge, and where rules or the address are wrong.
    """
    try:
        asyncio.run(_until_told(Bridge(services)))
    finally:
        services.tracer.close()
    return 0


async def _until_told(bridge: Bridge) -> None:
    """Run until a signal, or until something fails that should have gone on; that is raised."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with bridge.listening() as url:
        # For whoever started it; the log has the same.
        print(f"bridge listening on {url}", flush=True)
        log.info("bridge.started", url=url, tenants=[*bridge.tenants])
        working = asyncio.create_task(bridge.work())
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, waiting):
            task.cancel()
        results = await asyncio.gather(working, waiting, return_exceptions=True)
    log.info("bridge.ended")
    for result in results:
        if isinstance(result, Exception):
            raise result


class Bridge:
    """A bridge for all tenants that have one."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.tenants: Mapping[str, BridgeSettings] = {
            name: tenant.bridge for name, tenant in services.tenants.items() if tenant.bridge
        }
        if not self.tenants:
            raise SettingsError(
                "TENANTS_FILE: no tenant has a table [tenants.NAME.bridge]; for the one tenant of"
                " the environment set BRIDGE_QUEUES or BRIDGE_SECRET"
            )
        self.rules: Mapping[str, RuleSet] = {
            name: rules.chosen(settings.rules) for name, settings in self.tenants.items()
        }
        self.address = http_server.address(services.settings)
        self.tls = http_server.encryption(services.settings)

    @cached_property
    def metrics(self) -> BridgeMetrics:
        topics = (topic for held in self.rules.values() for topic in held.topics())
        return BridgeMetrics(topics, also=[self.services.counts.outside])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Take events by HTTP in the block, and give the URL; `work` does the rest."""
        async with Publisher(self.services) as publisher:
            intake = Intake(rules=self.rules, publisher=publisher, metrics=self.metrics)
            self.sides = {
                name: Side(
                    self.services,
                    self.services.tenants[name],
                    self.rules[name],
                    intake=intake,
                    metrics=self.metrics,
                )
                for name in self.tenants
            }
            receiver = Receiver(
                tenants=self.tenants, intake=intake, metrics=self.metrics, look=self.look
            )
            application = receiver.application()
            async with http_server.listening(application, self.address, self.tls) as port:
                host = reachable(self.address.host or "0.0.0.0")  # noqa: S104  # as it is asked for
                url = url_of(host, port)
                if not (self.tls or self.address.is_private):
                    log.warning("bridge.not_encrypted", remedy="set RECEIVER_TLS_CERT and _KEY")
                yield url.replace("http", "https", 1) if self.tls else url

    async def work(self) -> None:
        """Listen, backfill and report until cancelled."""
        async with asyncio.TaskGroup() as group:
            for side in self.sides.values():
                group.create_task(side.work(), name=f"bridge of {side.tenant}")
            group.create_task(
                report(self.services.store, self.name, self.sides.values()), name="reports"
            )

    async def look(self) -> Health:
        """Return how the bridge is."""
        try:
            await asyncio.to_thread(self.services.store.redis.ping)
        except INFRASTRUCTURE:
            return Health(broker=False)
        return Health(broker=True, tenants=[side.health() for side in self.sides.values()])
