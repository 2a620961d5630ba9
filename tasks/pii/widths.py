"""Digits, dashes and spaces of other scripts, mapped one to one to their plain forms."""

from __future__ import annotations

#: Zero of each decimal digit block that occurs in chats; its nine others follow.
_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0BE6, 0x0E50, 0xFF10)
_DASHES = (*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D)
_SPACES = (0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)

_PLAIN = {
    **{zero + digit: str(digit) for zero in _ZEROS for digit in range(10)},
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_SPACES, " "),
    0xFF0B: "+",
    0xFF0E: ".",
    0xFF20: "@",
    0xFF08: "(",
    0xFF09: ")",
    0xFF1A: ":",
}


def narrow(text: str) -> str:
    """Return `text` in plain digits, dashes and spaces, every character at its place."""
    return text if text.isascii() else text.translate(_PLAIN)
