"""Words that tell what a number is: those around it, and those of a question before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.pii.topics import AFTERWARDS, PHRASES, WORDS, Topic

#: How many characters before a number are read.
REACH = 48

_WORD = re.compile(r"[^\W\d_]+")
#: "is my cell", "(mobile)", "-Office": what joins a number to the word after it.
_LINK = re.compile(
    r"[ (/\"-]{1,3}(?:(?:is|was|for) )?(?:(?:my|the|his|her|our|your|a|an) )?([^\W\d_]+)"
    r"(?![ :#.=]{0,3}(?:(?:no|number|is)\b[ :.]{0,2})?[\d+(])"  # a label of the number after it
)
_CLAUSE_ENDS = re.compile(r"[,;!?\n]|\. ")


class Said(NamedTuple):
    """What the word nearest to a number says of it, and whether it stands in the same clause."""

    topic: Topic | None
    direct: bool


class _Mention(NamedTuple):
    topic: Topic
    start: int
    end: int


def said_of(text: str, start: int, end: int) -> Said:
    """Return what the nearest known word around the span says; a tie goes to the one before."""
    before = next(_backwards(text, max(0, start - REACH), start), None)
    after = _LINK.match(text, end)
    topic = AFTERWARDS.get(after[1].lower()) if after else None
    if after and topic and (not before or after.start(1) - end < start - before.end):
        return Said(topic, True)
    if not before:
        return Said(None, False)
    return Said(before.topic, not _CLAUSE_ENDS.search(text, before.end, start))


def topic_asked(text: str) -> Topic | None:
    """Return what a message asks the other side for, None where it asks for nothing known."""
    last = next(_backwards(text, max(0, len(text) - 4 * REACH), len(text)), None)
    return last.topic if last else None


def words(forms: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of these words or phrases, whole and in any case, for `near`."""
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def near(text: str, start: int, end: int, context: re.Pattern[str], reach: int = REACH) -> bool:
    """Return whether a word of `context` stands within `reach` characters of the span."""
    before = context.search(text, max(0, start - reach), start)
    return bool(before or context.search(text, end, end + reach))


def _backwards(text: str, start: int, end: int) -> Iterator[_Mention]:
    """Yield the topics mentioned between `start` and `end`, the last first."""
    found = list(_WORD.finditer(text, start, end))
    forms = [match[0].lower() for match in found]
    for at in reversed(range(len(found))):
        phrase = f"{forms[at - 1]} {forms[at]}" if at else ""
        topic = PHRASES[phrase] if phrase in PHRASES else WORDS.get(forms[at])
        if topic:
            yield _Mention(topic, found[at].start(), found[at].end())
