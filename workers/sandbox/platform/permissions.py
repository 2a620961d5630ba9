"""What a client's roles and divisions permit."""

from __future__ import annotations

from workers.sandbox.call import Call, Route
from workers.sandbox.errors import Refused
from workers.sandbox.oauth import Client, Token
from workers.sandbox.platform.errors import refuse

MISSING = (
    "Unable to perform the requested action. "
    "You are missing the following permission(s): {permissions}"
)
MISSING_ANY = (
    "Unable to perform the requested action. "
    "You must have at least one of the following permissions assigned: {permissions}"
)
MISSING_DIVISION = (
    "Unable to perform the requested action. "
    "You are missing the following permission '{permission}' in the provided division(s)."
)


def check_permissions(route: Route, _token: Token, client: Client) -> None:
    """Raise Refused (403) unless the client has all of `all_of`, and one of `any_of` if any."""
    held = client.permissions
    if held is None:
        return
    if missing := [each for each in route.all_of if each not in held]:
        raise refuse(403, "missing.permissions", MISSING, permissions=", ".join(missing))
    if route.any_of and not held.intersection(route.any_of):
        raise _missing_any(route.any_of)


def check_division(call: Call, division_id: str) -> None:
    """Raise Refused (403) where the client has no role in a division."""
    if call.divisions is not None and division_id not in call.divisions:
        permission = (call.route.any_of or call.route.all_of)[0]
        raise refuse(403, "missing.division.permission", MISSING_DIVISION, permission=permission)


def _missing_any(wanted: tuple[str, ...]) -> Refused:
    if len(wanted) == 1:
        return refuse(403, "missing.permissions", MISSING, permissions=wanted[0])
    return refuse(403, "missing.any.permissions", MISSING_ANY, permissions=", ".join(wanted))
