"""Types of attribute values, inferred so that no value ever changes its meaning.

Genesys attributes are text. A text becomes a number, boolean or date only where the typed value
prints back to the very same text; everything else (`00123`, `+1 555 0100`, `1e5`, `nan`, `1_000`,
an id of 17 digits) stays a string. Of ISO 8601 only the forms that RFC 3339 shares count as dates,
with seconds and zone left out at will: stores differ on the others.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from tasks.apis.customers import ValueType

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_ZONE = r"Z|[+-][0-9]{2}:[0-9]{2}"
_DATE = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T{_CLOCK}(?:{_ZONE})?)?")


def infer(text: str) -> tuple[ValueType, str | Decimal | bool]:
    """Return the type and the typed value of `text`; see the module for the rule."""
    if text.lower() in ("true", "false"):
        return "boolean", text.lower() == "true"
    if is_exact_number(text):
        return "number", Decimal(text)
    if is_date(text):
        return "date", text
    return "string", text


def is_plain_number(text: str) -> bool:
    """Return whether `text` is a JSON number without an exponent."""
    return _NUMBER.fullmatch(text) is not None


def is_exact_number(text: str) -> bool:
    """Return whether `text` is a plain JSON number that a double prints back digit for digit.

    The JSON that is sent holds that very text too: `0.0000001` would become `1E-7`.
    """
    if not is_plain_number(text) or len(text) > 40:
        return False
    if "." not in text:
        return abs(int(text)) < 2**53 and str(int(text)) == text
    return str(Decimal(repr(float(text)))) == text


def is_date(text: str) -> bool:
    """Return whether `text` is a real ISO 8601 date or date-time with dashes and colons."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
        if len(text) > 10:
            datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
