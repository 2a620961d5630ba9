"""The audit record: every effect and every refusal, in a Redis stream per tenant.

Its records are chained by their hashes, and each is appended together with what it tells of.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.chain import Head, link
from workers.store import Store, key

#: About how many records are kept per tenant.
KEEP = 1_000_000

#: The hash of each so-manieth record is kept for good, to check what was exported before trimming.
CHECKPOINT = 1_000

#: A Redis command: its name and its arguments.
Command = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Appends and reads audit records. A record holds ids, names and numbers only."""

    store: Store
    _heads: dict[str, Head] = field(default_factory=dict, repr=False)
    _turns: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock), repr=False
    )

    def write(
        self,
        tenant: str,
        record: Mapping[str, Any],
        *,
        commands: Iterable[Command] = (),
        entry: str = "",
        owner: str = "",
    ) -> bool:
        """Append `record` and carry `commands` out, in one step or not at all.

        With an `owner`, only while that run owns the operation of the ledger's `entry`: returns
        False where it does not any more, and nothing has happened.
        """
        listed = list(commands)
        # One at a time in this process: those of other processes are told apart by the head.
        with self._turns[tenant]:
            while True:
                head = self._heads.get(tenant, Head())
                done = link(head, record)
                own = self._appending(tenant, done.text, done.head)
                answer = self.store.run(
                    "commit",
                    [entry or _head(tenant), _head(tenant)],
                    [owner, str(head), *_flat([*listed, *own])],
                )
                match answer[0]:
                    case b"done":
                        self._heads[tenant] = done.head
                        return True
                    case b"lost":
                        return False
                self._heads[tenant] = Head.parse(answer[1].decode())

    def _appending(self, tenant: str, text: str, head: Head) -> Iterator[Command]:
        stream = key("audit", tenant)
        yield "XADD", stream, "MAXLEN", "~", KEEP, "*", "record", text, "hash", head.hash
        yield "SET", _head(tenant), str(head)
        if head.number % CHECKPOINT == 0:
            yield "HSET", key("audit-checkpoints", tenant), head.number, head.hash

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


def _head(tenant: str) -> str:
    return key("audit-head", tenant)


def _flat(commands: Iterable[Command]) -> Iterator[Any]:
    for command in commands:
        yield len(command)
        yield from command


def _read(entry: tuple[bytes, Mapping[bytes, bytes]]) -> dict[str, Any]:
    entry_id, fields = entry
    return {"id": entry_id.decode(), **json.loads(fields[b"record"])}
