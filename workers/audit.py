"""The audit record: every effect and every refusal, appended to a Redis stream per tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.store import Store, key

#: About how many records are kept per tenant.
KEEP = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Appends and reads audit records. A record holds ids, names and numbers only."""

    store: Store

    def append(self, tenant: str, record: Mapping[str, Any], *, within: Any) -> None:
        """Queue `record` in the transaction `within`."""
        fields: Any = {"record": json.dumps(record)}
        within.xadd(key("audit", tenant), fields, maxlen=KEEP, approximate=True)

    def newest(self, tenant: str, count: int) -> list[dict[str, Any]]:
        """Return the last `count` records of `tenant`, oldest first."""
        entries: Any = self.store.redis.xrevrange(key("audit", tenant), count=count)
        return [_read(entry) for entry in reversed(entries)]

    def records(self, tenant: str, *, batch: int = 500) -> Iterator[dict[str, Any]]:
        """Yield all records of `tenant`, oldest first, each with its stream `id`."""
        start = "-"
        while True:
            entries: Any = self.store.redis.xrange(key("audit", tenant), start, "+", count=batch)
            yield from map(_read, entries)
            if len(entries) < batch:
                return
            start = f"({entries[-1][0].decode()}"


def _read(entry: tuple[bytes, Mapping[bytes, bytes]]) -> dict[str, Any]:
    entry_id, fields = entry
    return {"id": entry_id.decode(), **json.loads(fields[b"record"])}
