"""A chain of records by their hashes: whoever alters, drops or reorders one, breaks it.

The hash of a record is SHA-256 over the hash of the one before and the record's own text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tasks.errors import WorkerError

_NUMBER = re.compile(r'\{"number":([1-9][0-9]{0,17})[,}]')


class Broken(WorkerError):
    """Raised where a chain is not what was written: at which record first, and in what way."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(number, why)
        self.number = number
        self.why = why

    def __str__(self) -> str:
        return f"record {self.number}: {self.why}"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last record of a chain: its number, counted from 1, and its hash."""

    number: int = 0
    hash: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the head that `str` has written; the empty text is that of an empty chain.

        Raises `Broken` where it is no such text.
        """
        if not text:
            return cls()
        number, _, digest = text.partition(" ")
        if not (number.isascii() and number.isdecimal()):
            raise Broken(0, "the stored head is none")
        return cls(number=int(number), hash=digest)

    def __str__(self) -> str:
        return f"{self.number} {self.hash}" if self.number else ""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A record of a chain as it is stored: its text, and the head that it makes.

    `before` is the hash of the one before, None where it is not known. What is stored as a record
    and is none has the number 0.
    """

    text: str
    head: Head
    before: str | None = None

    @property
    def number(self) -> int:
        return self.head.number

    @classmethod
    def stored(cls, text: str, digest: str, before: str | None = None) -> Self:
        """Return the record with this text and hash; its number is what the text says."""
        found = _NUMBER.match(text)
        head = Head(number=int(found[1]) if found else 0, hash=digest)
        return cls(text=text, head=head, before=before)


def link(before: Head, record: Mapping[str, Any]) -> Link:
    """Return `record` as the one that follows `before`."""
    number = before.number + 1
    text = json.dumps({"number": number, **record}, separators=(",", ":"))
    head = Head(number=number, hash=digest(before.hash, text))
    return Link(text=text, head=head, before=before.hash)


def digest(before: str, text: str) -> str:
    """Return the hash of a record with this text, after the one with the hash `before`."""
    return hashlib.sha256(f"{before}\n{text}".encode(errors="surrogateescape")).hexdigest()
