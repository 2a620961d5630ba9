"""A bridge says every few seconds how it is, for `status`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

from workers.bridge.side import Side
from workers.bridge.watching.reports import PERIOD, BridgeReport, Reports
from workers.store import INFRASTRUCTURE, Store


async def report(store: Store, bridge: str, sides: Collection[Side]) -> None:
    """Tell until cancelled, and withdraw then; while Redis is away, nothing can be told."""
    reports = Reports(store=store)
    try:
        while True:
            with suppress(*INFRASTRUCTURE):
                for side in sides:
                    await asyncio.to_thread(_tell, reports, bridge, side)
            await asyncio.sleep(PERIOD)
    finally:
        with suppress(*INFRASTRUCTURE):
            for side in sides:
                reports.withdraw(bridge, side.tenant)


def _tell(reports: Reports, bridge: str, side: Side) -> None:
    reports.tell(
        BridgeReport(bridge=bridge, tenant=side.tenant, at=reports.store.now(), **side.facts())
    )
