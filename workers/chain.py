"""A chain of records by their hashes: whoever alters, drops or reorders one, breaks it.

The hash of a record is SHA-256 over the hash of the one before and the record's own text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last record of a chain: its number, counted from 1, and its hash."""

    number: int = 0
    hash: str = ""

    @classmethod
    def parse(cls, text: str) -> Head:
        """Return the head that `str` has written; the empty text is that of an empty chain."""
        if not text:
            return cls()
        number, _, digest = text.partition(" ")
        return cls(number=int(number), hash=digest)

    def __str__(self) -> str:
        return f"{self.number} {self.hash}" if self.number else ""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A record of a chain as it is stored: its text, and the head that it makes."""

    text: str
    head: Head


def link(before: Head, record: Mapping[str, Any]) -> Link:
    """Return `record` as the one that follows `before`."""
    number = before.number + 1
    text = json.dumps({"number": number, **record}, separators=(",", ":"))
    return Link(text=text, head=Head(number=number, hash=digest(before.hash, text)))


def digest(before: str, text: str) -> str:
    """Return the hash of a record with this text, after the one with the hash `before`."""
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
