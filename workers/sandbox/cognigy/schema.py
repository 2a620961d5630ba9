"""What a project's profile schema lets stand in a profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workers.sandbox.cognigy.errors import invalid
from workers.sandbox.options import Options
from workers.sandbox.world import Document

#: The largest whole number that JavaScript holds exactly.
LARGEST_INTEGER = 2**53 - 1
_NAME = re.compile(r"[A-Za-z0-9_]+")


def read_fields(sent: Mapping[str, Any], schema: Mapping[str, str], options: Options) -> Document:
    """The fields of a request as a profile holds them, named as `schema` (name → type) names them.

    Names are compared without case. Numbers become what JavaScript makes of them. Raises Refused
    (400) for a name or a value that the schema does not allow. Options say what becomes of unknown
    names, and whether a null may take a field away (the vendor's answers are not known [?]).
    """
    spelled = {name.lower(): name for name in schema}
    seen: set[str] = set()
    fields: Document = {}
    for name, value in sent.items():
        if not _NAME.fullmatch(name):
            raise invalid(name, "a name may hold A-Z, a-z, 0-9 and _ only")
        if name.lower() in seen:
            raise invalid(name, "occurs twice; names are compared without case")
        seen.add(name.lower())
        if name.lower() in spelled:
            known = spelled[name.lower()]
            fields[known] = _value(name, value, schema[known], options)
        elif options.cognigy_unknown_field == "refuse":
            raise invalid(name, "is no field of the profile schema")
    return fields


def _value(name: str, value: Any, kind: str, options: Options) -> Any:
    if value is None and options.cognigy_null == "remove":
        return None
    if not _AGREES[kind](value):
        # The text quotes the value, as servers do: clients have to mask it.
        raise invalid(name, f"'{value}' is no {kind}")
    if kind == "Number":
        if abs(value) > LARGEST_INTEGER:
            raise invalid(name, f"'{value}' is beyond ±(2^53−1)")
        return value if isinstance(value, int) else Decimal(repr(float(value)))
    return value


_AGREES = {
    "Text": lambda value: isinstance(value, str),
    "Number": lambda value: isinstance(value, (int, Decimal)) and not isinstance(value, bool),
    "YesNo": lambda value: isinstance(value, bool),
    "Complex": lambda value: isinstance(value, (dict, list)),
}
