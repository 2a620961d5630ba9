"""One detector per way of looking: around an `@`, at dots and colons, at letters, at digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tasks.pii import cards, dates, phones, ssns
from tasks.pii.emails import find_emails, may_spell_an_email
from tasks.pii.findings import Finding
from tasks.pii.ibans import find_ibans
from tasks.pii.ip_addresses import find_ip_addresses
from tasks.pii.last_four import find_last_four
from tasks.pii.numbers import find_numbers

#: Gets a normal text and what the other side asked for.
Detector = Callable[[str, str | None], Iterator[Finding]]

_MARKS = re.compile(r"[0-9@]")
_MARKS_OF_ANY_SCRIPT = re.compile(r"[\d@\uff20\ufe6b]")

#: In the order in which they are tried on a number.
NUMBER_RULES = (*dates.RULES, *cards.RULES, *ssns.RULES, *phones.RULES)


def find_cards_ssns_and_phones(text: str, asked: str | None) -> Iterator[Finding]:
    return find_numbers(text, asked, NUMBER_RULES)


DETECTORS: tuple[Detector, ...] = (
    find_emails,
    find_ip_addresses,
    find_ibans,
    find_cards_ssns_and_phones,
    find_last_four,
)


def is_worth_a_look(text: str) -> bool:
    """Return whether any detector may find something in `text`; in most messages none does."""
    marks = _MARKS if text.isascii() else _MARKS_OF_ANY_SCRIPT
    return bool(marks.search(text)) or may_spell_an_email(text)
