"""The bridge's line in the summary."""

from __future__ import annotations

from workers.bridge.watching.metrics import BridgeMetrics
from workers.demo.bridged import described


def test_the_counts_of_all_tenants_are_told_together() -> None:
    metrics = BridgeMetrics()
    for tenant in ("default", "acme"):
        metrics.received(tenant, "websocket", 3)
        metrics.received(tenant, "eventbridge", 2)
        metrics.enqueued(tenant, "customer-left")
        metrics.gaps(tenant, "dropped")
    metrics.received("acme", "backfill")
    metrics.duplicate("acme", "customer-left")
    metrics.backfilled("acme", 1)
    assert described(metrics.text().decode()) == (
        "bridge: 6 × event by WebSocket, 4 × event by EventBridge, 1 × event found in gaps,"
        " 2 × gap, 2 × message, 1 × message of them from gaps, 1 × duplicate"
    )


def test_a_bridge_that_has_heard_nothing_says_so() -> None:
    assert described("").startswith("bridge: 0 × event by WebSocket, ")
