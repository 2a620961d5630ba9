"""The `Retry-After` header in both of its forms (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime


def parse(value: str | None, now: float) -> float | None:
    """Return the wait in seconds that a `Retry-After` value asks for, None where it says none.

    `value` is a number of seconds or an HTTP date; `now` is the epoch time in seconds.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
