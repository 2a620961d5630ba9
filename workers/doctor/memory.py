"""Whether Redis has room for what is yet to come, and what it does without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis

from workers.doctor.finding import Finding, bad, ok, warn

#: Share of its memory beyond which Redis has little room left, and none worth the name.
LITTLE, NONE = 0.75, 0.95

MEGABYTE = 1_048_576


def evicted(client: redis.Redis) -> Iterator[Finding]:
    """Find whether a full Redis refuses writes, as it has to, or throws our keys away."""
    about: Any = client.info("memory")
    policy = about.get("maxmemory_policy", "unknown")
    remedy = "set maxmemory-policy noeviction in redis.conf"
    if policy == "noeviction":
        yield ok("a full Redis refuses writes and drops nothing")
    elif about.get("maxmemory"):
        yield bad(f"maxmemory-policy {policy}: a full Redis drops messages and records", remedy)
    else:
        yield warn(f"maxmemory-policy {policy}: drops messages once there is a maxmemory", remedy)


def room(client: redis.Redis) -> Iterator[Finding]:
    """Find how much of its memory Redis uses: of `maxmemory`, else of the machine's."""
    about: Any = client.info("memory")
    used, limit = about.get("used_memory", 0), about.get("maxmemory", 0)
    whole = limit or about.get("total_system_memory", 0)
    if not whole:
        yield ok(f"{used // MEGABYTE} MB are used; Redis does not tell of how many")
        return
    share = used / whole
    said = f"{share:.0%} of {whole // MEGABYTE:,} MB are used"
    remedy = "raise maxmemory, or discard dead letters and lower LEDGER_SECONDS and AUDIT_RECORDS"
    if share >= NONE:
        yield bad(f"{said}: writes are about to be refused", remedy)
    elif share >= LITTLE:
        yield warn(said, remedy)
    else:
        yield ok(said if limit else f"{said}, without a maxmemory")
