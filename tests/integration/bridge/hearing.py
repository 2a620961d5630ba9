"""A tenant's WebSocket source in a thread, as a bridge runs it, with short times."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import BrokerAway
from tests.support.waiting import wait_until
from workers.app import Services
from workers.bridge.listening.means import Timing
from workers.bridge.listening.topics import Topics
from workers.bridge.listening.websocket import WebSocketSource
from workers.bridge.reading.events import Event, Source
from workers.bridge.state.backoff import Waits
from workers.bridge.state.gaps import Gap, Gaps
from workers.bridge.state.positions import Positions
from workers.bridge.watching.metrics import BridgeMetrics

SECONDS = 30.0
TENANT = "default"
QUICK = Waits(first=0.02, longest=0.1)
TIMING = Timing(
    silence=8.0,
    steady=0.2,
    apart=0.0,
    handover=2.0,
    position=0.0,
    broker=0.05,
    failed=QUICK,
    refused=QUICK,
    fault=QUICK,
)


@dataclass(kw_only=True)
class Taken:
    """An intake that keeps what it takes; while it is `away`, the broker takes nothing."""

    events: list[Event] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    away: bool = False
    refused: int = 0

    async def take(self, tenant: str, events: Sequence[Event]) -> None:
        assert tenant == TENANT
        if self.away:
            self.refused += 1
            raise BrokerAway("away")
        self.events += events

    def unreadable(self, tenant: str, source: Source, reason: str) -> None:
        assert (tenant, source) == (TENANT, "websocket")
        self.unread.append(reason)

    @property
    def numbers(self) -> list[int]:
        """The numbers in the events' bodies."""
        return [each.body["n"] for each in self.events if "n" in each.body]


@dataclass(kw_only=True)
class Heard:
    """A source that runs, and what came of it."""

    services: Services
    source: WebSocketSource
    taken: Taken
    metrics: BridgeMetrics

    @property
    def connected(self) -> bool:
        return self.source.connected_since is not None

    @property
    def gaps(self) -> Sequence[Gap]:
        return Gaps(store=self.services.store, tenant=TENANT).waiting()

    @property
    def reasons(self) -> list[str]:
        """Why nothing was heard, gap by gap."""
        return [gap.reason for gap in self.gaps]

    @property
    def position(self) -> float:
        """Until when the first shard was heard."""
        return Positions(store=self.services.store, tenant=TENANT).all().get("0", 0.0)

    def wait(self, holds: Callable[[], Any], what: str) -> None:
        wait_until(holds, SECONDS, what, pause=0.01)

    def wait_connected(self) -> None:
        self.wait(lambda: self.connected, "all shards are heard")

    def wait_gaps(self, count: int) -> None:
        """Wait until something was missed so often, and is heard again."""
        self.wait(lambda: len(self.gaps) == count, "it is connected again")

    def figure(self, name: str) -> float:
        """Return what a metric of the tenant says."""
        start = f'genesys_bridge_{name}{{tenant="{TENANT}"}} '
        lines = self.metrics.text().decode().splitlines()
        return next(
            (float(line.removeprefix(start)) for line in lines if line.startswith(start)), 0
        )


@contextmanager
def hearing(
    services: Services, *topics: str, timing: Timing = TIMING, taken: Taken | None = None
) -> Iterator[Heard]:
    """Run a source for these topics while the block lasts."""
    taken, metrics = taken or Taken(), BridgeMetrics()
    source = WebSocketSource.of(
        services, TENANT, Topics(wanted=topics), intake=taken, metrics=metrics, timing=timing
    )
    host = _Host(source)
    host.start()
    try:
        yield Heard(services=services, source=source, taken=taken, metrics=metrics)
    finally:
        host.stop()


class _Host(threading.Thread):
    """Runs a source in an event loop of its own, until it is stopped."""

    def __init__(self, source: WebSocketSource) -> None:
        super().__init__(name="hearing", daemon=True)
        self._source = source
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._running = self._loop.create_task(self._source.run())
        self._ready.set()
        try:
            self._loop.run_until_complete(self._running)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  # told to the test
            self._error = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def stop(self) -> None:
        self._ready.wait(SECONDS)
        self._loop.call_soon_threadsafe(self._running.cancel)
        self.join(SECONDS)
        assert not self.is_alive()
        if self._error:
            raise self._error
