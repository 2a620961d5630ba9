"""One detector per way of looking: around an `@`, at colons, dots, letters and digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tasks.pii import cards, dates, phones, ssns
from tasks.pii.emails import find_emails, find_spelled_emails, may_spell_an_email
from tasks.pii.findings import Finding
from tasks.pii.ibans import find_ibans
from tasks.pii.ip_addresses import find_v4, find_v6
from tasks.pii.last_four import find_last_four
from tasks.pii.numbers import SEPARATORS, find_numbers

#: Gets a plain text and what the other side asked for; yields in order and without overlaps.
Detector = Callable[[str, str | None], Iterator[Finding]]

_MARKS = re.compile(r"[0-9@]")
_MARKS_OF_ANY_SCRIPT = re.compile(r"[\d@\uff20\ufe6b]")  #: What numbers and IBANs have.
_SIX_DIGITS = re.compile(rf"[0-9](?:{SEPARATORS}[0-9]){{5}}")

#: In the order in which they are tried on a number.
NUMBER_RULES = (*dates.RULES, *cards.RULES, *ssns.RULES, *phones.RULES)


def find_cards_ssns_and_phones(text: str, asked: str | None) -> Iterator[Finding]:
    return find_numbers(text, asked, NUMBER_RULES)


#: In the order in which they look; each sees blanks where one before it has found something.
DETECTORS: tuple[Detector, ...] = (
    find_emails,
    find_spelled_emails,
    find_v6,
    find_v4,
    find_ibans,
    find_cards_ssns_and_phones,
    find_last_four,
)


def is_worth_a_look(text: str, asked: str | None) -> bool:
    """Return whether any detector may find something in `text`; in most messages none does."""
    if not text.isascii():
        return bool(_MARKS_OF_ANY_SCRIPT.search(text)) or may_spell_an_email(text)
    return bool(_MARKS.search(text) and _has_a_value(text, asked)) or may_spell_an_email(text)


def _has_a_value(text: str, asked: str | None) -> bool:
    """Whether a text with digits has an `@`, a run of them, or an IP address's colons or dots."""
    return bool(
        "@" in text
        or _SIX_DIGITS.search(text)
        or asked
        or text.count(":") > 1
        or text.count(".") > 2
    )
