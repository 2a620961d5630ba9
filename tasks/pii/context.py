"""Words that tell what a number is: those around it, and those of a question before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.pii.topics import AFTERWARDS, PHRASES, WORDS, Topic

PLACEHOLDER = "[REDACTED]"
#: Stands, as often as it has characters, for a value that another detector has found.
BLANK = "\ufdd0"
#: The same, for a placeholder. Both are noncharacters of Unicode, which nobody can write.
HIDDEN = "\ufdd1"
#: What a text that was redacted has in place of values, as it is or hidden (`placeholders`).
PLACEHOLDERS = rf"{re.escape(PLACEHOLDER)}|{HIDDEN}+"
#: What begins a value that was found before, or ends it.
TAKEN = rf"(?:{BLANK}|{PLACEHOLDERS})"
#: How many characters before a number are read.
REACH = 48

_WORD = re.compile(r"[^\W\d_]+")
#: "is my cell", "(mobile)", "-Office": what joins a number to the word after it.
_LINK = re.compile(
    r"[ (/\"-]{1,3}(?:(?:is|was|for) )?(?:(?:my|the|his|her|our|your|a|an) )?([^\W\d_]+)"
    # not where the word is a label of the value after it
    rf"(?![ :#.=]{{0,3}}(?:(?:no|number|is)\b[ :.]{{0,2}})?(?:[\d+(]|{TAKEN}))"
)
#: A number, or what stands for a value that was found before.
_VALUE = re.compile(rf"[0-9](?:[ ./()-]{{0,3}}+[0-9]){{3,}}|{BLANK}+|{PLACEHOLDERS}")
#: What may stand between two numbers of one kind.
_AND = frozenset(
    ["and", "or", "at", "on", "also", "und", "oder", "et", "ou", "y", "o", "e", "en", "of"]
)
#: How many are read where values stand among them.
_FAR = 256
#: How much of the end of a question is read.
_QUESTION_REACH = 192
_ASKS = re.compile(
    r"\b(?:what(?:'?s)?|which|(?:may|can|could) (?:i|we|you)|provide|need|confirm|verify|share"
    r"|give|tell|send|enter|type|have|get)\b",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"[.?!\n]|\b(?:so|to|for|on|with|associated|linked|that|from|about|regarding|in case)\b",
    re.IGNORECASE,
)
_CLAUSE_ENDS = re.compile(r"[,;!?\n]|\. ")
#: Characters between two words of a phrase.
_GAP = 2


class Said(NamedTuple):
    """What the word nearest to a number says of it, and whether it stands in the same clause."""

    topic: Topic | None
    direct: bool


class Before(NamedTuple):
    """What a word says of a number after it, and where that word ends."""

    said: Said
    end: int


_NOTHING = Said(None, False)


class _Mention(NamedTuple):
    topic: Topic
    start: int
    end: int


def said_of(text: str, start: int, end: int) -> Said:
    """Return what the nearest known word around the span says; a tie goes to the one before."""
    return said(text, start, end, said_before(text, start))


def said_before(text: str, start: int) -> Before | None:
    """Return the last known word before `start` that was not said of another number."""
    mention = next(_mentions(text, max(0, start - REACH), start), None)
    mention = mention or _mention_beyond_values(text, start)
    if mention is None or _is_spent(text[mention.end : start]):
        return None
    direct = not _CLAUSE_ENDS.search(text, mention.end, start)
    return Before(Said(mention.topic, direct), mention.end)


def _mention_beyond_values(text: str, start: int) -> _Mention | None:
    """Return the last known word where only values make it stand out of reach."""
    if not _VALUE.search(text, max(0, start - 2 * REACH), start):
        return None
    mention = next(_mentions(text, max(0, start - _FAR), start), None)
    if mention and len(_VALUE.sub("", text[mention.end : start])) <= REACH:
        return mention
    return None


def said(text: str, start: int, end: int, before: Before | None) -> Said:
    """Return what the nearer of the word `before` the span and the one after it says."""
    after = _LINK.match(text, end)
    topic = AFTERWARDS.get(after[1].lower()) if after else None
    if after and topic and (not before or after.start(1) - end < start - before.end):
        return Said(topic, True)
    return before.said if before else _NOTHING


def _is_spent(between: str) -> bool:
    """Whether a word was said of another value before and more than "and" follows that one."""
    _, *after = _VALUE.split(between)
    return not _AND.issuperset(word for each in after for word in _WORD.findall(each.lower()))


def topic_asked(text: str) -> Topic | None:
    """Return what a message asks the other side for.

    None where it asks for nothing known, or for this or that: "your phone or order number?". An
    e-mail address beside something else does not count, as no number answers for it.
    """
    topics = {mention.topic for mention in _mentions(text, *_request(text))}
    topics = topics - {"email"} or topics
    return topics.pop() if len(topics) == 1 else None


def _request(text: str) -> tuple[int, int]:
    """Return the span of what the last request names, up to what it says of the purpose.

    Without words of a request it is the whole end of `text`: "and your card number?".
    """
    start = max(0, len(text) - _QUESTION_REACH)
    asks = list(_ASKS.finditer(text, start))
    for ask in reversed(asks):
        purpose = _PURPOSE.search(text, ask.end())
        end = purpose.start() if purpose else len(text)
        if any(_mentions(text, ask.end(), end)):
            return ask.end(), end
    return (start, start) if asks else (start, len(text))


def words(forms: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of these words or phrases, whole and in any case, for `near`."""
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def near(text: str, start: int, end: int, context: re.Pattern[str], reach: int = REACH) -> bool:
    """Return whether a word of `context` stands within `reach` characters of the span."""
    before = context.search(text, max(0, start - reach), start)
    return bool(before or context.search(text, end, end + reach))


def _mentions(text: str, start: int, end: int) -> Iterator[_Mention]:
    """Yield the topics mentioned between `start` and `end`, the last first."""
    found = list(_WORD.finditer(text, start, end))
    for at in reversed(range(len(found))):
        word = found[at]
        form = word[0].lower()
        follows = at > 0 and word.start() - found[at - 1].end() <= _GAP
        phrase = f"{found[at - 1][0].lower()} {form}" if follows else ""
        topic = PHRASES[phrase] if phrase in PHRASES else WORDS.get(form)
        if topic:
            yield _Mention(topic, word.start(), word.end())
