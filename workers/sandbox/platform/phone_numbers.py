"""Phone numbers as the vendor keeps them: what was typed, and what it was read as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Calling codes that are told by a country; the vendor knows all of them.
_COUNTRIES: Mapping[str, str] = {
    "1": "US", "31": "NL", "33": "FR", "34": "ES", "351": "PT", "353": "IE", "39": "IT",
    "41": "CH", "43": "AT", "44": "GB", "45": "DK", "46": "SE", "47": "NO", "48": "PL",
    "49": "DE", "55": "BR", "61": "AU", "81": "JP", "90": "TR", "91": "IN",
}  # fmt: skip
_CODES = {country: code for code, country in _COUNTRIES.items()}
_WRITABLE = ("extension", "acceptsSMS", "normalizationCountryCode")
_E164 = re.compile(r"\+[1-9]\d{7,14}")


def normalized(number: Mapping[str, Any]) -> dict[str, Any]:
    """A `PhoneNumber` as it was written, with the fields that the system sets.

    `display` is replaced by the international form where it could be read, and kept where not;
    `userInput` keeps what was written in both cases.
    """
    typed = number["display"].strip()
    read = _e164(typed, number.get("normalizationCountryCode", ""))
    kept = {name: number[name] for name in _WRITABLE if name in number}
    kept |= {"display": typed, "userInput": typed}
    if read is None:
        return kept
    kept |= {"display": _international(read), "e164": read}
    country = _COUNTRIES.get(_calling_code(read))
    return {**kept, "countryCode": country} if country else kept


def _e164(typed: str, country: str) -> str | None:
    digits = re.sub(r"[\s()./-]", "", typed)
    if not digits.startswith("+"):
        code = _CODES.get(country, "1")
        national = digits if code == "1" else digits.removeprefix("0")
        digits = f"+{national}" if len(national) == 11 and code == "1" else f"+{code}{national}"
    return digits if _E164.fullmatch(digits) else None


def _calling_code(e164: str) -> str:
    return next((e164[1:end] for end in (2, 3, 4) if e164[1:end] in _COUNTRIES), "")


def _international(e164: str) -> str:
    code = _calling_code(e164)
    if code == "1" and len(e164) == 12:
        return f"+1 {e164[2:5]}-{e164[5:8]}-{e164[8:]}"
    return f"+{code} {e164[1 + len(code) :]}" if code else e164
