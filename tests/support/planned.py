"""Plans of the demonstration on a cluster of a test: what they need, and what came of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.support.cluster import Cluster
from workers.app import Services
from workers.consuming.chain import Head, digest
from workers.demo.effects import Effect, observed
from workers.demo.errand import Errand
from workers.sandbox.testing import SandboxHandle


def stage(sandbox: SandboxHandle, errands: Iterable[Errand]) -> None:
    """Put the documents that `errands` are about into the sandbox."""
    documents: dict[tuple[str, str], dict[str, Any]] = {}
    for errand in errands:
        for each in errand.documents:
            of_kind = documents.setdefault((each.kind, errand.organization), {})
            of_kind[each.id] = dict(each.body)
    for (kind, organization), bodies in documents.items():
        sandbox.put_many(kind, bodies, organization)


def effects(sandbox: SandboxHandle) -> Counter[Effect]:
    """Return every effect that the workers had, and how often."""
    return Counter(filter(None, map(observed, sandbox.effects())))


def ends(services: Services) -> Counter[str]:
    """Return how often the audit tells of the end of each operation, by its id."""
    return Counter(
        record["operation_id"]
        for tenant in services.tenants
        for record in services.audit.records(tenant)
        if record.get("operation_id") and "hooks" not in record
    )


def states(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Return state and outcome of every operation in the ledger, by its id."""
    found: dict[str, tuple[str, str]] = {}
    for name in cluster.redis.scan_iter("gw:operation:*", count=1_000):
        stored: Any = cluster.redis.hmget(name, "state", "outcome")
        state, outcome = stored
        operation = name.decode().split(":", 3)[3]
        found[operation] = (state.decode(), json.loads(outcome or b'{"status": ""}')["status"])
    return found


def check_chain(cluster: Cluster, tenant: str) -> int:
    """Recompute the tenant's chain of audit records; return how many records it has."""
    head = Head()
    entries: Any = cluster.redis.xrange(f"gw:audit:{tenant}")
    for _, fields in entries:
        text = fields[b"record"].decode()
        head = Head(number=head.number + 1, hash=digest(head.hash, text))
        assert json.loads(text)["number"] == head.number
        assert fields[b"hash"].decode() == head.hash, f"record {head.number} breaks the chain"
    kept: Any = cluster.redis.get(f"gw:audit-head:{tenant}")
    assert Head.parse((kept or b"").decode()) == head
    return head.number
