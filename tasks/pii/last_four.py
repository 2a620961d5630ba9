"""The last four digits of an SSN or card, which identify it where they were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.pii.context import TAKEN
from tasks.pii.findings import Finding

_FOUR = re.compile(r"(?<![\w.$€£/-])[0-9](?: ?[0-9]){3}(?!\w|[ .,/-]?[0-9]|[%$€£])")
#: What was found before is what was asked for.
_WHOLE_NUMBER = re.compile(TAKEN)
#: "The last 4 are 6789"; where there are more, the whole number was given.
_MOST_DIGITS = 6


def find_last_four(text: str, asked: str | None) -> Iterator[Finding]:
    if asked not in ("ssn", "credit_card") or _WHOLE_NUMBER.search(text):
        return
    if sum(map(str.isdigit, text)) <= _MOST_DIGITS:
        for match in _FOUR.finditer(text):
            yield Finding(start=match.start(), end=match.end(), entity=asked)
