"""JSON and timestamps as they cross the wire."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import simplejson

# Built once: `dumps` with options of its own builds an encoder for every call.
_ENCODER = simplejson.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, use_decimal=True, allow_nan=False
)
_CANONICAL = simplejson.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, use_decimal=True, allow_nan=False, sort_keys=True
)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


_DECODER = simplejson.JSONDecoder(parse_float=Decimal, object_pairs_hook=_once)


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON; a `Decimal` is written with the digits it was read with."""
    return _ENCODER.encode(value).encode()


def decode(data: bytes) -> Any:
    """Read JSON, fractions as `Decimal`. Raises ValueError for anything that is not JSON.

    That is so too where a name occurs twice in an object, or where half of a surrogate pair
    stands alone: nobody could write that down in UTF-8.
    """
    try:
        value = _DECODER.decode(data.decode())
        if b"\\u" in data:
            encode(value)
        return value
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def readable(text: str) -> str:
    """The text of a header, with `?` for each byte of it that is not UTF-8."""
    return text.encode("utf-8", "replace").decode()


def digest(value: Any) -> str:
    """SHA-256 of a string's UTF-8, or of the compact JSON of any other value, in hex.

    Names are sorted: equal values have equal digests.
    """
    text = value if isinstance(value, str) else _CANONICAL.encode(value)
    return hashlib.sha256(text.encode()).hexdigest()


def iso(seconds: float) -> str:
    """Epoch seconds as `2025-01-31T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def instant(text: str) -> datetime:
    """Read an ISO 8601 date-time; one without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def later(previous: str, now: float) -> str:
    """The timestamp of `now`, or the millisecond after `previous` where that is not later."""
    after = instant(previous) + timedelta(milliseconds=1)
    return iso(max(now, after.timestamp()))
