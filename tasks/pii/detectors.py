"""One detector per way of looking: at dots and colons, at letters, at digits.

E-mail addresses (`emails`) are found before these, which see blanks in their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tasks.pii import cards, dates, phones, ssns
from tasks.pii.emails import may_spell_an_email
from tasks.pii.findings import Finding
from tasks.pii.ibans import find_ibans
from tasks.pii.ip_addresses import find_ip_addresses
from tasks.pii.last_four import find_last_four
from tasks.pii.numbers import SEPARATORS, find_numbers

#: Gets a plain text and what the other side asked for.
Detector = Callable[[str, str | None], Iterator[Finding]]

_MARKS = re.compile(r"[0-9@]")
_MARKS_OF_ANY_SCRIPT = re.compile(r"[\d@\uff20\ufe6b]")
#: What all that is found has, besides an `@` or the colons of an IPv6 address.
_FOUR_DIGITS = re.compile(rf"[0-9](?:{SEPARATORS}[0-9]){{3}}")

#: In the order in which they are tried on a number.
NUMBER_RULES = (*dates.RULES, *cards.RULES, *ssns.RULES, *phones.RULES)


def find_cards_ssns_and_phones(text: str, asked: str | None) -> Iterator[Finding]:
    return find_numbers(text, asked, NUMBER_RULES)


DETECTORS: tuple[Detector, ...] = (
    find_ip_addresses,
    find_ibans,
    find_cards_ssns_and_phones,
    find_last_four,
)


def is_worth_a_look(text: str) -> bool:
    """Return whether any detector may find something in `text`; in most messages none does."""
    if not text.isascii():
        return bool(_MARKS_OF_ANY_SCRIPT.search(text)) or may_spell_an_email(text)
    if _MARKS.search(text) and ("@" in text or _FOUR_DIGITS.search(text) or text.count(":") > 1):
        return True
    return may_spell_an_email(text)
