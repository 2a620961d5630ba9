"""IPv4 and IPv6 addresses; ports, prefix lengths and zones are left standing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from tasks.pii.context import TAKEN
from tasks.pii.findings import Finding

_V4 = re.compile(
    r"[0-9](?<![\w.][0-9])(?<![A-Za-z]/[0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.\w|-[A-Za-z])"
)
_V6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}+(?:(?:\.[0-9]{1,3}){3})?"
    rf"(?!\w|{TAKEN})"
)
#: "version 1.2.3.4", "section 1.2.3.4"
_VERSION = re.compile(
    r"\b(?:v|ver|version|release|build|firmware|driver|revision|section|chapter|oid)[ .:=]*\Z",
    re.IGNORECASE,
)
#: How far before an address such a word may stand.
_VERSION_REACH = 16
#: Eight pairs are the hardware address of an interface.
_HARDWARE = re.compile(r"(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}")


def find_v4(text: str, _asked: str | None) -> Iterator[Finding]:
    for match in _V4.finditer(text) if text.count(".") > 2 else ():
        is_version = _VERSION.search(text, max(0, match.start() - _VERSION_REACH), match.start())
        if not is_version and _is_v4(match[0]):
            yield Finding(start=match.start(), end=match.end(), entity="ip_address")


def find_v6(text: str, _asked: str | None) -> Iterator[Finding]:
    for match in _V6.finditer(text) if text.count(":") > 1 else ():
        shown = match[0] if match[0].endswith("::") else match[0].rstrip(":")
        if _is_v6(shown):
            yield Finding(start=match.start(), end=match.start() + len(shown), entity="ip_address")


def _is_v4(shown: str) -> bool:
    """Whether each number fits in a byte; one with a leading 0 is a group of thousands."""
    return all(int(octet) < 256 and str(int(octet)) == octet for octet in shown.split("."))


def _is_v6(shown: str) -> bool:
    """Whether `shown` is one that has a digit: `dead::beef` may be C++ as well."""
    try:
        ipaddress.IPv6Address(shown)
    except ValueError:
        return False
    return any(map(str.isdigit, shown)) and not _HARDWARE.fullmatch(shown)
