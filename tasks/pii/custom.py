"""A tenant's own kind of personal data: a pattern, a checksum, words that have to stand near."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.pii import checksums, context
from tasks.pii.findings import Finding
from tasks.pii.normal import normal
from tasks.pii.values import joined

Checksum = Literal["none", "luhn", "mod97"]


def mod97(code: str) -> bool:
    """Return whether letters and digits pass ISO 7064 MOD 97-10, as legal entity codes do."""
    if not (code.isascii() and code.isalnum()):
        return False
    return int("".join(str(int(char, 36)) for char in code)) % 97 == 1


def _luhn(code: str) -> bool:
    return code.isascii() and code.isdigit() and checksums.luhn(code)


_CHECKS: Mapping[Checksum, Callable[[str], bool]] = {
    "none": bool,
    "luhn": _luhn,
    "mod97": mod97,
}


@dataclass(frozen=True, kw_only=True)
class TenantDetector:
    """Finds the entity `name`; with `words`, only near one of them or where it was asked for.

    The pattern sees what the other detectors see: plain digits, dashes and spaces (`normal`).
    """

    name: str
    pattern: re.Pattern[str]
    words: re.Pattern[str] | None = None
    checksum: Checksum = "none"

    def find(self, text: str, asked: str | None) -> Iterator[Finding]:
        plain = normal(text)
        for match in self.pattern.finditer(plain.text):
            if self._expected(match, asked) and _CHECKS[self.checksum](joined(match[0])):
                start, end = plain.span(*match.span())
                yield Finding(start=start, end=end, entity=self.name)

    def is_named_in(self, text: str) -> bool:
        """Return whether one of the entity's words stands in `text`."""
        return self.words is not None and self.words.search(text) is not None

    def _expected(self, match: re.Match[str], asked: str | None) -> bool:
        if self.words is None or asked == self.name:
            return True
        return context.near(match.string, *match.span(), self.words)
