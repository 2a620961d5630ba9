"""E-mail addresses, each looked for around its `@`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.pii.findings import Finding

MAX_LOCAL_PART = 64

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"[\w-]{1,63}+(?:\.[\w-]{1,63}+)++")


def find_emails(text: str, _asked: str | None) -> Iterator[Finding]:
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.search(text, max(0, at - MAX_LOCAL_PART), at)
        domain = _DOMAIN.match(text, at + 1)
        if local and domain:
            yield Finding(start=local.start(), end=domain.end(), entity="email")
        at = text.find("@", at + 1)
