"""Why a message or a setting is refused: one line with the field and the rule, never a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.fields import ID_PATTERN, ID_RULE

_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

#: Of an attribute's name: an address, or five digits in a row, also with a separator in between.
_PERSONAL = re.compile(r"@|(?:[0-9][ ._:()\-]?){5}")

#: Of an id: an address, or the beginning of a phone number. Other numbers are somebody's count.
_PERSONAL_ID = re.compile(r"@|\+[0-9]{5}")


def explain(error: ValidationError, name: Callable[[str | int], str] | None = None) -> str:
    """Return one line for a validation error: the first field, its rule, how many more.

    `name` shows a part of the field's path; strangers' names are hidden by default.
    """
    details = error.errors(include_input=False, include_url=False)
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return _line(details[0], name or shown_name) + more


def _line(detail: ErrorDetails, name: Callable[[str | int], str]) -> str:
    rule = detail["msg"].removeprefix("Value error, ")
    match detail["type"]:
        case "string_pattern_mismatch" if detail["ctx"]["pattern"] == ID_PATTERN:
            rule = ID_RULE
        case "extra_forbidden":
            rule = "is not a known field"
        case "missing":
            rule = "is required"
        case "string_unicode" if not detail["loc"]:
            rule = "message: a field's name must be valid Unicode"
    where = ".".join(name(part) for part in detail["loc"])
    return f"{where}: {rule}" if where else rule


def shown_name(part: str | int) -> str:
    """Return a field's name where it looks like one; a stranger's key may be personal data."""
    if part == "[key]":
        return "name"
    return str(part) if isinstance(part, int) or _SHOWN_NAME.fullmatch(part) else "?"


def shown_attribute(name: str) -> str:
    """Return an attribute's name as it may be told: "?" for one that may be personal data.

    Vendors and producers name attributes as they like: any other name is shown.
    """
    return "?" if _PERSONAL.search(name) else name


def kept_attribute(name: str) -> str:
    """Return what an attribute goes by where its name is kept: its digest for such a name."""
    if shown_attribute(name) == name:
        return name
    return _digest(name)


def shown_customer(customer_id: str) -> str:
    """Return what a customer goes by where its id is told or kept: its digest for a personal one.

    Stores make ids of addresses: `email_ann@example.com`.
    """
    return _digest(customer_id) if _PERSONAL_ID.search(customer_id) else customer_id


def _digest(text: str) -> str:
    return f"sha256:{sha256(text.encode(errors='backslashreplace')).hexdigest()}"
