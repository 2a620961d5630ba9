"""Days written as numbers, which are nobody's phone."""

from __future__ import annotations

import re

from tasks.pii.numbers import Rule

_YEAR, _MONTH, _DAY = r"(?:19|20)[0-9]{2}", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(
    rf"(?:{_YEAR}([-/. ]){_MONTH}\1{_DAY}|{_DAY}([-/. ]){_DAY}\2{_YEAR}"
    rf"|{_YEAR}(?:[ /-]{_YEAR})+)(?![0-9])"
)
RULES = (Rule(entity=None, shape=_DATE, holds=lambda _: True),)
