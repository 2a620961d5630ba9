"""Where metrics are shown: `host:port`."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"

_FORM = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s/:\[\]]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, kw_only=True)
class Address:
    """A host of this machine, and a port; 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(text: str) -> Address:
    """Return what `text` means: `:9470` is on the loopback interface. Raises `ValueError`."""
    match = _FORM.fullmatch(text)
    if not match or int(match["port"]) > 65_535:
        raise ValueError("must be host:port, such as 127.0.0.1:9470, 0.0.0.0:9470 or [::1]:9470")
    return Address(host=match["six"] or match["host"] or LOOPBACK, port=int(match["port"]))


def checked(text: str) -> str:
    """Return `text` where it is an address. Raises `ValueError`."""
    parse(text)
    return text
