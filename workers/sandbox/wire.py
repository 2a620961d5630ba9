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
_DECODER = simplejson.JSONDecoder(parse_float=Decimal)


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON; a `Decimal` is written with the digits it was read with."""
    return _ENCODER.encode(value).encode()


def decode(data: bytes) -> Any:
    """Read JSON, fractions as `Decimal`. Raises ValueError for anything that is not JSON."""
    try:
        return _DECODER.decode(data.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


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
