"""Words that tell what a number is: those before it, and those of a question before it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from tasks.pii.findings import Entity

Topic = Entity | Literal["reference"]

#: How many characters before a number are read.
REACH = 48

_WORDS: dict[Topic, str] = {
    "phone": r"phones?|tel|telephone|mobile|cell|call(?:ing|ed)?|reach|text|sms|whatsapp|fax",
    "ssn": r"ssn|social(?: security)?",
    "credit_card": r"cards?|credit|debit|visa|mastercard|amex|discover",
    "email": r"e-?mail",
    "iban": r"iban",
    "ip_address": r"ip",
    "reference": (
        r"orders?|items?|policy|tracking|invoice|ticket|case|reference|ref|confirmation|booking"
        r"|account|serial|isbn|sku|part|flight|reservation|id"
    ),
}
_TOPIC = re.compile(
    r"\b(?:" + "|".join(f"(?P<{topic}>{words})" for topic, words in _WORDS.items()) + r")\b",
    re.IGNORECASE,
)


def nearest(text: str, start: int) -> Topic | None:
    """Return what the nearest word before `start` says that the number there is."""
    return _last_topic(text, max(0, start - REACH), start)


def topic_asked(text: str) -> Topic | None:
    """Return what a message asks the other side for, None where it asks for nothing known."""
    return _last_topic(text, max(0, len(text) - 4 * REACH), len(text))


def words(forms: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of these words or phrases, whole and in any case, for `near`."""
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def near(text: str, start: int, end: int, context: re.Pattern[str], reach: int = REACH) -> bool:
    """Return whether a word of `context` stands within `reach` characters of the span."""
    before = context.search(text, max(0, start - reach), start)
    return bool(before or context.search(text, end, end + reach))


def _last_topic(text: str, start: int, end: int) -> Topic | None:
    found: Topic | None = None
    for match in _TOPIC.finditer(text, start, end):
        found = match.lastgroup  # type: ignore[assignment]  # the groups are the topics
    return found
