"""The bridge's line in the summary."""

from __future__ import annotations

from workers.bridge.metrics import BridgeMetrics
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
        "bridge: 11 events (6 by WebSocket, 4 by EventBridge, 1 by backfill); 2 messages and"
        " 1 duplicates of them; 2 gaps, 1 messages found in them"
    )


def test_a_bridge_that_has_heard_nothing_says_so() -> None:
    assert described("") == (
        "bridge: 0 events (0 by WebSocket, 0 by EventBridge, 0 by backfill); 0 messages and"
        " 0 duplicates of them; 0 gaps, 0 messages found in them"
    )
