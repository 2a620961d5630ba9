"""What stands where personal data stood: one word, the kind of data, or a keyed hash of it.

A placeholder is never taken for personal data nor for a word about it, so that redacting twice
changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tasks.pii.context import HIDDEN, PLACEHOLDER
from tasks.pii.findings import Finding
from tasks.pii.values import normal

Style = Literal["redacted", "label", "hash"]

#: Returns what stands in place of a finding, given the value that was found.
Placeholder = Callable[[Finding, str], str]

#: A hash is 64 bits, written in letters: in hexadecimal, some would look like numbers.
HASH_BYTES = 8
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopabcdef")


def redacted(_finding: Finding, _value: str) -> str:
    """Return `[REDACTED]`."""
    return PLACEHOLDER


def label(finding: Finding, _value: str) -> str:
    """Return the kind of data: `[EMAIL]`."""
    return f"[{finding.entity.upper()}]"


@dataclass(frozen=True, kw_only=True)
class Hash:
    """Returns `[EMAIL:ahbkfdpmcegnoijl]`: equal for equal values, however they are spelled.

    Without the key, a value can neither be read from its hash nor be tried against it.
    """

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str, tenant: str) -> Hash:
        """Return the placeholder with the tenant's own key, made of a secret and its name."""
        return cls(key=_digest(secret.encode(), tenant))

    def __call__(self, finding: Finding, value: str) -> str:
        spelled = f"{finding.entity}:{normal(finding.entity, value)}"
        letters = _digest(self.key, spelled)[:HASH_BYTES].hex().translate(_LETTERS)
        return f"[{finding.entity.upper()}:{letters}]"


def pattern(entities: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of the placeholders of these `entities`."""
    labels = "|".join(re.escape(entity.upper()) for entity in entities)
    return re.compile(rf"\[(?:REDACTED|(?:{labels})(?::[a-p]{{{2 * HASH_BYTES}}})?)\]")


def _digest(key: bytes, text: str) -> bytes:
    import hmac  # not at the top: it loads OpenSSL, and few tenants hash

    return hmac.digest(key, text.encode(errors="surrogatepass"), "sha256")


def blank(match: re.Match[str]) -> str:
    """Return what stands for a placeholder while a text is searched, at its length."""
    return HIDDEN * len(match[0])
