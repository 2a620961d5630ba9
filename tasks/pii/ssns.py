"""US social security numbers: nine digits, by area, group and serial number."""

from __future__ import annotations

import re

from tasks.pii.numbers import END, Number, Rule

_DASHED = re.compile(rf"[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}{END}")
_ANYHOW = re.compile(rf"[0-9]{{3}}[ .-]{{0,3}}[0-9]{{2}}[ .-]{{0,3}}[0-9]{{4}}{END}")


def is_issuable(digits: str) -> bool:
    """Return whether area, group and serial are none that the SSA never assigns.

    An area from 900 up belongs to taxpayer numbers (ITIN).
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and group != "00" and serial != "0000"


def _is_written_so(number: Number) -> bool:
    if number.topic == "ssn":
        return is_issuable(number.digits)
    others = number.is_labelled_other_than("ssn") or number.is_part_of_a_code
    return not others and number.digits[0] != "9" and is_issuable(number.digits)


def _is_expected(number: Number) -> bool:
    return number.topic == "ssn" and is_issuable(number.digits)


RULES = (
    Rule(entity="ssn", shape=_DASHED, holds=_is_written_so),
    Rule(entity="ssn", shape=_ANYHOW, holds=_is_expected, only_expected=True),
)
