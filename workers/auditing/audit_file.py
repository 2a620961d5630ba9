"""Audit records in files: the anchor outside Redis, for whoever can write to Redis.

A folder per tenant, and in it files of each worker process: JSON lines of the record's number, its
hash, the hash before, and its text. A file that is full is followed by another one; none is ever
deleted or written again, so they may be moved away.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.consuming.chain import Broken, Head, Link
from workers.watching.telemetry import log

#: Bytes after which a file is followed by another one.
LARGEST = 64 * 1_048_576

SUFFIX = ".jsonl"


@dataclass(kw_only=True)
class AuditFiles:
    """Implements `Sink`; one call at a time per tenant.

    A line is handed to the operating system before `append` returns, and not flushed to the disk:
    it outlives the worker, and may be lost with the machine. The files are for their owner only. A
    folder that fails is logged once, until it works again; what it misses stays in Redis. One that
    hangs, on a server that is away, holds up the threads of its worker: name a local one.
    """

    folder: Path
    largest: int = LARGEST
    _files: dict[tuple[int, str], Path] = field(default_factory=dict, repr=False)
    _counts: dict[str, int] = field(default_factory=dict, repr=False)
    _fails: bool = field(default=False, repr=False)

    def append(self, tenant: str, record: Link) -> None:
        """Append `record` to the file of this process and `tenant`. It raises nothing."""
        place = os.getpid(), tenant  # a forked process writes files of its own
        try:
            path = self._files.get(place) or self._opened(tenant)
            # A file that has failed may end in half a line: what follows goes to another one.
            self._files.pop(place, None)
            if _append(path, line(tenant, record)) < self.largest:
                self._files[place] = path
        except OSError as error:
            if not self._fails:
                log.error("audit.file_failed", tenant=tenant, error=os.strerror(error.errno or 0))
            self._fails = True
            return
        self._fails = False

    def _opened(self, tenant: str) -> Path:
        folder = self.folder / tenant
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._counts[tenant] = self._counts.get(tenant, 0) + 1
        begun = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{begun}-{socket.gethostname()}-{os.getpid()}-{self._counts[tenant]}{SUFFIX}"
        return folder / name


def _append(path: Path, written: bytes) -> int:
    """Append to a file in one piece and return its size. Raises `OSError` where that fails."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    opened = os.open(path, flags, 0o600)
    try:
        if os.write(opened, written) < len(written):
            raise OSError(28, "only a part was written")
        return os.fstat(opened).st_size
    finally:
        os.close(opened)


def line(tenant: str, record: Link) -> bytes:
    """Return a record as a line of a file or an export; `before` is null where it is not known."""
    facts = {
        "tenant": tenant,
        "number": record.number,
        "before": record.before,
        "hash": record.head.hash,
        "record": record.text,
    }
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, kw_only=True)
class AuditFile:
    """A file of such lines, as long as it was when it was found."""

    path: Path
    size: int

    @classmethod
    def find(cls, path: Path) -> AuditFile:
        """Return the file as it is at this moment. Raises `OSError` where there is none."""
        with path.open("rb") as opened:
            return cls(path=path, size=os.fstat(opened.fileno()).st_size)

    def tenants(self) -> set[str]:
        """Return whose records stand in it."""
        return {tenant for tenant, _ in self._lines()}

    def links(self, tenant: str) -> Iterator[Link]:
        """Yield the records of `tenant` as they stand in the file.

        A last line that is not finished is left out; any other that is none has the number 0.
        """
        return (_link(facts) for owner, facts in self._lines() if owner == tenant)

    def _lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        tenant, place = "", 0
        while place < self.size:
            # Only a file that is being read on is open: there may be thousands.
            with self.path.open("rb") as opened:
                opened.seek(place)
                for raw in opened:
                    first, place = place == 0, place + len(raw)
                    if place > self.size or not raw.endswith(b"\n"):
                        return
                    facts = _facts(raw)
                    tenant = str(facts.get("tenant", tenant))
                    yield tenant, facts
                    if first:
                        break
                else:
                    return


def _facts(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _link(facts: dict[str, Any]) -> Link:
    text, digest, before = (facts.get(name) for name in ("record", "hash", "before"))
    if not (isinstance(text, str) and isinstance(digest, str) and isinstance(before, str | None)):
        return Link(text="", head=Head())
    found = Link.stored(text, digest, before)
    if found.number != facts.get("number"):
        raise Broken(found.number, f"its line says that it is record {facts.get('number')}")
    return found
