"""A text in plain digits, dashes, spaces and letters, and where each character came from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

#: Code points remembered at most; a hostile text must not fill the memory.
_REMEMBERED = 4096
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@dataclass(frozen=True, kw_only=True)
class Normal:
    """`text` to look into; its character `i` is character `places[i]` of the original.

    `places` is None where every character stands at its place.
    """

    text: str
    places: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that `start` to `end` of `text` came from."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def normal(text: str) -> Normal:
    """Return `text` with other scripts' forms made plain and invisible characters left out."""
    if text.isascii():
        return Normal(text=text, places=None)
    plain = text.translate(_PLAIN)
    if len(plain) == len(text):
        return Normal(text=plain, places=None)
    places = [at for at, char in enumerate(text) if _PLAIN[ord(char)] is not None]
    return Normal(text=plain, places=places)


class _Plain(dict[int, str | None]):
    """The table of `str.translate`, filled as characters occur."""

    def __missing__(self, code: int) -> str | None:
        plain = _plain(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = plain
        return plain


def _plain(char: str) -> str | None:
    """Return the one ASCII character that `char` stands for, None where it is invisible."""
    category = unicodedata.category(char)
    if category in ("Cf", "Me") or ord(char) in _VARIATION_SELECTORS:
        return None
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Pd", "Zs") or char == "\N{MINUS SIGN}":
        return " " if category == "Zs" else "-"
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 and compatible.isascii() else char


_PLAIN = _Plain()
