"""The `Retry-After` header in both of its forms (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime


def parse(value: str | None, now: float) -> float | None:
    """Return the wait in seconds that a `Retry-After` value asks for, None where it says none.

    `value` is a number of seconds or an HTTP date; `now` is the epoch time in seconds.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # HTTP dates are in GMT; Python leaves out the zone of one that ends in -0000.
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)
