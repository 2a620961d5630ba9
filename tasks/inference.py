"""Types of attribute values, inferred so that no value ever changes its meaning.

Genesys attributes are text. A text becomes a number or date only where the typed value prints back
to the very same text; everything else (`00123`, `1.0`, `+1 555 0100`, `1e5`, `nan`, `1_000`, an id
of 17 digits) stays a string. `true` and `false` are booleans in any case of their letters. Of
ISO 8601 only the forms that RFC 3339 shares count as dates, with seconds and zone left out at will:
stores differ on the others, on midnight as 24:00 and on leap seconds.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from tasks.apis.customers import ValueType

#: No double needs more characters.
LONGEST_EXACT = 40

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_HOUR = r"(?:[01][0-9]|2[0-3])"
_CLOCK = rf"{_HOUR}:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{{1,9}})?)?"
_ZONE = rf"Z|[+-]{_HOUR}:[0-5][0-9]"
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

    No trailing zero of a fraction is (`1.0` may be a version), and no sign of nought. The JSON that
    is sent holds that very text too: `0.0000001` would become `1E-7`.
    """
    if not is_plain_number(text) or len(text) > LONGEST_EXACT:
        return False
    if "." not in text:
        return abs(int(text)) < 2**53 and text != "-0"
    return not text.endswith("0") and str(Decimal(repr(float(text)))) == text


def is_date(text: str) -> bool:
    """Return whether `text` is a real ISO 8601 date or date-time with dashes and colons."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
