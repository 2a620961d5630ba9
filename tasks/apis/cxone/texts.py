"""What a value is on CXone's wire: always a text."""

from __future__ import annotations

from decimal import Decimal

#: A number beyond so many digits before or after its point keeps its exponent.
LONGEST_PLAIN = 400


def text_of(value: str | Decimal | bool) -> str:
    """Return `value` as the text that is sent: numbers with all their digits, `true`, `false`."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f") if abs(value.adjusted()) < LONGEST_PLAIN else str(value)
        case _:
            return value
