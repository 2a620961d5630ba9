"""When two spellings are one value: separators, case and scripts of digits make no difference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tasks.pii.normal import normal as plain

#: What is one piece of a value: a run of digits or one of letters.
_PIECE = re.compile(r"\d+|[^\W\d_]+")
_EXTENSION = re.compile(r"[^\W\d_]")

#: Entities in which punctuation tells values apart.
_PUNCTUATED = ("email", "ip_address")

#: Digits of a North American number with its country code, which people leave out.
_WITH_COUNTRY = 11


def pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each run of digits or letters in its plain form, with its start and end in `text`."""
    for match in _PIECE.finditer(text):
        yield _plain(match[0]), match.start(), match.end()


def joined(text: str) -> str:
    """Return the letters and digits of `text` in their plain form."""
    return "".join(piece for piece, _, _ in pieces(text))


def normal(entity: str, value: str) -> str:
    """Return the one spelling that stands for all spellings of a value.

    A phone number goes without its extension and without the 1 of North America.
    """
    if entity in _PUNCTUATED:
        return "".join(_plain(value).split())
    if entity == "phone":
        return _national(joined(_without_extension(value)))
    return joined(value)


def _without_extension(phone: str) -> str:
    found = _EXTENSION.search(phone, 1)
    return phone[: found.start()] if found else phone


def _national(digits: str) -> str:
    return digits[1:] if len(digits) == _WITH_COUNTRY and digits[0] == "1" else digits


def _plain(text: str) -> str:
    if text.isascii():
        return text.casefold()
    return plain(unicodedata.normalize("NFKC", text)).text.casefold()
