"""Who may look at Flower, and from where."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from tasks.errors import SettingsError
from workers.settings import Settings

_REMEDY = "set FLOWER_PASSWORD (and FLOWER_USER), or FLOWER_BASIC_AUTH=user:password"


def credentials(settings: Settings) -> list[str]:
    """Return each `user:password` that may look; none where no password is set.

    Raises `SettingsError` for one that nobody could log in with, or anybody.
    """
    listed = settings.flower_basic_auth.get_secret_value() if settings.flower_basic_auth else ""
    found = [_checked("FLOWER_BASIC_AUTH", each) for each in listed.split(",") if each]
    password = settings.flower_password.get_secret_value() if settings.flower_password else ""
    if password:
        if ":" in settings.flower_user:
            raise SettingsError("FLOWER_USER: must not contain a colon")
        found.append(_checked("FLOWER_PASSWORD", f"{settings.flower_user}:{password}"))
    return found


def _checked(variable: str, pair: str) -> str:
    user, _, password = pair.partition(":")
    if not user or not password:
        raise SettingsError(f"{variable}: needs a user and a password, as user:password")
    # Flower compares them as ASCII, and stumbles over anything else.
    if not pair.isascii() or not pair.isprintable():
        raise SettingsError(f"{variable}: user and password must be printable ASCII")
    return pair


def check(address: str, *, protected: bool, control: bool) -> None:
    """Raise `SettingsError` where strangers could look at Flower, or control workers by it."""
    if protected:
        return
    if not is_loopback(address):
        raise SettingsError(f"flower: needs a password to be seen at {address or '*'}: {_REMEDY}")
    if control:
        raise SettingsError(f"flower: needs a password for --allow-control: {_REMEDY}")


def is_loopback(address: str) -> bool:
    """Return whether this machine alone reaches `address`: each that a name stands for."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(address or None, None)}
    except OSError:
        return False
    return bool(address) and all(ip_address(each.partition("%")[0]).is_loopback for each in found)
