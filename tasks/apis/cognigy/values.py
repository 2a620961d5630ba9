"""What a value is on Cognigy's wire: Text, Number or YesNo."""

from __future__ import annotations

from decimal import Decimal

from tasks.apis.cxone.texts import text_of

#: The largest whole number that a Number holds exactly.
LARGEST_INTEGER = 2**53 - 1


def value_of(value: str | Decimal | bool) -> str | int | bool:
    """Return `value` as it is sent; a number that a Number would change is sent as its text."""
    if isinstance(value, Decimal):
        text = text_of(value)
        is_whole = text.removeprefix("-").isdigit() and abs(value) <= LARGEST_INTEGER
        return int(text) if is_whole and str(int(text)) == text else text
    return value
