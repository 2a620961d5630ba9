"""The audit record: every effect and every refusal, in a Redis stream per tenant.

Its records are chained by their hashes, and each is appended together with what it tells of.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from workers.consuming.chain import Head, Link, link
from workers.store import Store, key
from workers.watching.telemetry import log

#: About how many records are kept per tenant, unless the settings say otherwise.
KEEP = 1_000_000

#: The hash of each so-manieth record outlives it, to check what was exported before trimming.
CHECKPOINT = 1_000

#: How many of these hashes are kept per tenant: 1.3 MB for ten million records.
CHECKPOINTS = 10_000

#: A Redis command: its name and its arguments. Its second part is the one key that it writes to.
Command = tuple[Any, ...]


class Sink(Protocol):
    """Where records go besides Redis."""

    def append(self, tenant: str, record: Link) -> None:
        """Keep a record that was appended to the chain of `tenant`. It raises nothing."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Where a tenant's stream begins and ends, seen at one moment.

    `head` is the stored one, `first` the first record's number (0: none), `last_id` the id of the
    last entry in the stream; `checkpoints` are the hashes that outlive their records, by number.
    """

    head: Head
    first: int = 0
    last_id: str = "0"
    checkpoints: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Appends and reads audit records. A record holds ids, names and numbers only.

    Of each tenant about `keep` records stay in Redis, never fewer. The `sink` gets each record of
    this process once it stands in Redis, in the order of their numbers per tenant.
    """

    store: Store
    keep: int = KEEP
    sink: Sink | None = None
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

        With an `owner`, only while that run owns the operation of the ledger's `entry`, which it
        does no more afterwards: returns False where another one does, and nothing has happened.
        A request that the client sends again, because the answer was lost, changes nothing twice;
        for that, a record says when (`at`), so that no two are the same.
        Where Redis has lost records or its head, that is logged and recorded after this one.
        """
        disruptions: list[str] = []
        # One at a time in this process: those of other processes are told apart by the head.
        with self._turns[tenant]:
            kept = self._append(tenant, record, list(commands), (entry, owner), disruptions)
        for reason in disruptions:
            log.error("audit.disrupted", tenant=tenant, reason=reason)
            about = {"at": self.store.now(), "status": "disrupted", "reason": reason}
            self.write(tenant, about)
        return kept

    def _append(
        self,
        tenant: str,
        record: Mapping[str, Any],
        commands: list[Command],
        owned: tuple[str, str],
        disruptions: list[str],
    ) -> bool:
        entry, owner = owned
        while True:
            known = self._heads.get(tenant, Head())
            new = link(known, record)
            verdict, *seen = self.store.run(
                "commit",
                [entry or _head(tenant), _head(tenant), _stream(tenant)],
                [
                    owner,
                    str(known),
                    new.head.hash,
                    *_flat([*commands, *self._appending(tenant, new)]),
                ],
            )
            if verdict == b"lost":
                return False
            found, doubt = Head.parse(seen[0].decode()), seen[1].decode()
            if verdict == b"done":
                self._heads[tenant] = new.head
                if doubt:
                    disruptions.append(doubt)
                if self.sink:
                    self.sink.append(tenant, new)
                return True
            if found.number < known.number:
                lost = f"the last record was {known.number}, of which Redis knows {found.number}"
                disruptions.append(lost)
            self._heads[tenant] = found

    def _appending(self, tenant: str, new: Link) -> Iterator[Command]:
        digest, number = new.head.hash, new.number
        bounds = ("MAXLEN", "~", self.keep)
        yield "XADD", _stream(tenant), *bounds, "*", "record", new.text, "hash", digest
        yield "SET", _head(tenant), str(new.head)
        if number % CHECKPOINT == 0:
            yield "HSET", _checkpoints(tenant), number, digest
            yield "HDEL", _checkpoints(tenant), number - CHECKPOINT * CHECKPOINTS

    def newest(self, tenant: str, count: int) -> list[dict[str, Any]]:
        """Return the last `count` records of `tenant`, oldest first."""
        entries: Any = self.store.redis.xrevrange(_stream(tenant), count=count)
        return [_read(entry) for entry in reversed(entries)]

    def records(self, tenant: str, *, batch: int = 500) -> Iterator[dict[str, Any]]:
        """Yield all records of `tenant`, oldest first, each with its stream `id`."""
        yield from map(_read, self._entries(tenant, "-", "+", batch))

    def following(
        self, last_ids: Mapping[str, str], seconds: float
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Wait so long for records after those with the `last_ids` of tenants; yield them.

        The id of a tenant without any record is "0". Each comes with its tenant.
        """
        streams: Any = {_stream(tenant): last_id for tenant, last_id in last_ids.items()}
        tenants = {_stream(tenant): tenant for tenant in last_ids}
        found: Any = self.store.redis.xread(streams, block=round(seconds * 1000))
        for name, entries in found or ():
            for entry in entries:
                yield tenants[name.decode()], _read(entry)

    def links(
        self, tenant: str, *, first: str = "-", last: str = "+", batch: int = 1_000
    ) -> Iterator[Link]:
        """Yield the records of `tenant` from one stream id to another, as they are stored."""
        for _, fields in self._entries(tenant, first, last, batch):
            yield _stored(fields)

    def hash_before(self, tenant: str, first: str) -> str | None:
        """Return the hash of the last record before the stream id `first`.

        It is "" where the chain begins there, and None where that record was trimmed.
        """
        found: Any = self.store.redis.xrevrange(_stream(tenant), f"({first}", "-", count=1)
        if found:
            return _stored(found[0][1]).head.hash
        oldest: Any = self.store.redis.xrange(_stream(tenant), count=1)
        return "" if not oldest or _stored(oldest[0][1]).number == 1 else None

    def ends(self, tenant: str) -> Ends:
        """Return where the stream of `tenant` begins and ends. Raises `Broken` for a wrong head."""
        with self.store.redis.pipeline(transaction=True) as transaction:
            transaction.get(_head(tenant))
            transaction.xrange(_stream(tenant), count=1)
            transaction.xrevrange(_stream(tenant), count=1)
            transaction.hgetall(_checkpoints(tenant))
            head, oldest, newest, kept = transaction.execute()
        return Ends(
            head=Head.parse(_text(head or b"")),
            first=_stored(oldest[0][1]).number if oldest else 0,
            last_id=newest[0][0].decode() if newest else "0",
            checkpoints={int(number): _text(digest) for number, digest in kept.items()},
        )

    def _entries(self, tenant: str, first: str, last: str, batch: int) -> Iterator[Any]:
        while True:
            found: Any = self.store.redis.xrange(_stream(tenant), first, last, count=batch)
            yield from found
            if len(found) < batch:
                return
            first = f"({found[-1][0].decode()}"


def _stream(tenant: str) -> str:
    return key("audit", tenant)


def _head(tenant: str) -> str:
    return key("audit-head", tenant)


def _checkpoints(tenant: str) -> str:
    return key("audit-checkpoints", tenant)


def _flat(commands: Iterable[Command]) -> Iterator[Any]:
    for command in commands:
        yield len(command)
        yield from command


def _read(entry: tuple[bytes, Mapping[bytes, bytes]]) -> dict[str, Any]:
    entry_id, fields = entry
    return {"id": entry_id.decode(), **json.loads(fields[b"record"])}


def _stored(fields: Mapping[bytes, bytes]) -> Link:
    return Link.stored(_text(fields.get(b"record", b"")), _text(fields.get(b"hash", b"")))


def _text(raw: bytes) -> str:
    """Return what is stored as text, whatever somebody has put there."""
    return raw.decode(errors="surrogateescape")
