"""How much personal data redactions have found, per tenant and kind. Never what it was.

Counted in the step that ends a redaction, so that none counts twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from workers.auditing.audit import Command
from workers.store import Store, key

FINDINGS = key("findings")


def counting(tenant: str, findings: Mapping[str, int]) -> list[Command]:
    """Return the commands that add `findings` (count by entity) to the tenant's."""
    return [("HINCRBY", FINDINGS, f"{tenant} {name}", count) for name, count in findings.items()]


def counted(store: Store) -> Mapping[str, Mapping[str, int]]:
    """Return the count by tenant and entity."""
    held: Mapping[bytes, Any] = store.redis.hgetall(FINDINGS)  # type: ignore[assignment]  # not awaitable
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for field, count in sorted(held.items()):
        tenant, _, entity = field.decode().partition(" ")
        found[tenant][entity] = int(count)
    return dict(found)
