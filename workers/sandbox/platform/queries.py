"""Parameters of a query string beyond whole numbers."""

from __future__ import annotations

from workers.sandbox.call import Call
from workers.sandbox.platform.errors import refuse

VALUE = "Value [{value}] is not valid for parameter [{name}]. Allowable values are: {allowed}"


def choice(call: Call, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed values. Raises Refused (400) for another."""
    value = call.query.get(name, default)
    if value not in allowed:
        params = {"value": value, "name": name, "allowed": ", ".join(allowed)}
        raise refuse(400, "invalid.query.param.value", VALUE, **params)
    return value


def flag(call: Call, name: str) -> bool:
    """`true` or `false`, in any case; false where it is not sent. Raises Refused (400)."""
    spellings = ("false", "true", "False", "True")
    return choice(call, name, "false", spellings).lower() == "true"
