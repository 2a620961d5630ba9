"""International bank account numbers (ISO 13616): two letters, check digits, 15 to 34 in all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.pii.context import said_of
from tasks.pii.findings import Finding

_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI CM DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
#: Length of an IBAN per country (SWIFT IBAN registry).
LENGTHS = {
    country: length
    for length, countries in _COUNTRIES_BY_LENGTH.items()
    for country in countries.split()
}

#: Matches the check digits after a country, as digits are what `re` finds fastest.
_CHECK_DIGITS = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})(?<![A-Za-z0-9][A-Za-z]{2}[0-9]{2})")
_REST = re.compile(r"(?:[ .-]?[A-Za-z0-9]){11,30}+")


def find_ibans(text: str, asked: str | None) -> Iterator[Finding]:
    for check_digits in _CHECK_DIGITS.finditer(text):
        start = check_digits.start() - 2
        end = _end(text, start)
        if end is None:
            continue
        code = "".join(filter(str.isalnum, text[start:end]))
        if has_check_digits(code) or "iban" in (asked, said_of(text, start, end).topic):
            yield Finding(start=start, end=end, entity="iban")


def _end(text: str, start: int) -> int | None:
    """Return where as many characters as the country's IBANs have end, None where none does."""
    length = LENGTHS.get(text[start : start + 2].upper())
    rest = length and _REST.match(text, start + 4)
    if not (length and rest):
        return None
    at = [place for place in range(start, rest.end()) if text[place].isalnum()]
    end = at[length - 1] + 1 if length <= len(at) else None
    return None if end is None or text[end : end + 1].isalnum() else end


def has_check_digits(code: str) -> bool:
    """Return whether the check digits of `code` (no separators) are right (ISO 7064, mod 97-10)."""
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1
