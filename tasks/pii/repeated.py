"""A value that was found once is found wherever else it stands, however it is spelled there.

A long one is told by itself. A short one (the last four digits of a card, found or asked for) could
be a year or a price: it counts where a word about it stands near, where it is all that is said, and
where the other side says it back at once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasks.pii import context
from tasks.pii.dialogue import Side
from tasks.pii.lines import Found, Line
from tasks.pii.values import joined, normal, pieces

#: Letters and digits from which on a value is long, and how many of them are looked up first.
LONG = 7
HEAD = 4

#: How many digits of a card or of an SSN people use to speak of it.
LAST = 4

#: Characters between two pieces of one value, and turns within which a short one is said back.
GAP = 4
AT_ONCE = 2

#: Entities that are told by their form wherever they stand, or that are ordinary words.
ELSEWHERE = ("ip_address", "name", "location")

#: Words near which a short number is what was found, and within how many characters.
ABOUT = {
    "credit_card": context.words(("card", "credit", "debit", "visa", "amex", "ending", "ends")),
    "ssn": context.words(("ssn", "social", "ending", "ends")),
}
REACH = 24

_SHORT = re.compile(r"(?<!\w)(?<!\d[.,:/-])\d{4,6}(?!\w|[.,:/-]\d)")

#: After one of these a number is a moment or an amount.
_TELLS_ELSE = re.compile(
    r"(?:\b(?:(?<!ending )(?<!ends )in|since|until|till|year|from|by|before|after|of)\s"
    r"|[$€£]\s?)\Z",
    re.IGNORECASE,
)

#: What may stand before a number of North America that was found without it.
_COUNTRY = re.compile(r"(?:\+?\b1[ .-]?)?\(?\Z")


def find_repeated(lines: Sequence[Line]) -> None:
    """Add to the new findings of the lines what repeats one of them, in linear time."""
    known = Known()
    for line in lines:
        for found in line.new:
            known.add(found, line)
    if known:
        for line in lines:
            line.add(known.long_in(line.text))
            line.add(known.short_in(line))


class Known:
    """The values that were found in a conversation."""

    def __init__(self) -> None:
        self._long: dict[str, str] = {}
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._short: dict[str, str] = {}
        self._sides: dict[tuple[str, int], Side] = {}

    def __bool__(self) -> bool:
        return bool(self._long or self._short)

    def add(self, found: Found, line: Line) -> None:
        """Remember a value, and where it stands."""
        if found.entity in ELSEWHERE:
            return
        value = joined(normal(found.entity, found.value))
        if len(value) >= LONG:
            self._long[value] = found.entity
            self._lengths[value[:HEAD]].add(len(value))
            value = value[-LAST:] if found.entity in ABOUT else ""
        if _SHORT.fullmatch(value):
            self._short[value] = found.entity
            self._sides[value, line.turn] = line.side

    def long_in(self, text: str) -> Iterator[Found]:
        """Yield the long values in `text`, the longest of those that begin at one place."""
        stream = Stream.of(text)
        done = 0
        for at, start in stream.starts:
            if at >= done and (value := self._longest(stream, at)):
                entity, done = self._long[value], at + len(value)
                begin = _with_country(text, start) if entity == "phone" else start
                yield _found(text, begin, stream.ends[done], entity)

    def short_in(self, line: Line) -> Iterator[Found]:
        """Yield the short values of a line that are meant as such."""
        if not self._short:
            return
        whole = joined(line.text)
        for match in _SHORT.finditer(line.text):
            value = joined(match[0])
            entity = self._short.get(value)
            if entity and (value == whole or self._is_meant(line, match, value, entity)):
                yield _found(line.text, *match.span(), entity)

    def _longest(self, stream: Stream, at: int) -> str | None:
        lengths = self._lengths.get(stream.text[at : at + HEAD], ())
        for length in sorted(lengths, reverse=True):
            value = stream.text[at : at + length]
            if value in self._long and at + length in stream.ends:
                return value
        return None

    def _is_meant(self, line: Line, match: re.Match[str], value: str, entity: str) -> bool:
        if _TELLS_ELSE.search(line.text, max(0, match.start() - 16), match.start()):
            return False
        words = ABOUT.get(entity)
        near = words is not None and context.near(line.text, *match.span(), words, REACH)
        return near or self._was_just_said(value, line)

    def _was_just_said(self, value: str, line: Line) -> bool:
        """Return whether the other side has said `value` right before `line`."""
        before = range(line.turn - AT_ONCE, line.turn)
        return any(self._sides.get((value, turn), line.side) != line.side for turn in before)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The letters and digits of a text in a row, and where its pieces begin and end.

    `starts` are pairs of a place in `text` and the same in the original, `ends` a map.
    """

    text: str = field(repr=False)
    starts: Sequence[tuple[int, int]]
    ends: dict[int, int]

    @classmethod
    def of(cls, original: str) -> Stream:
        """Return the stream of a text; pieces that are far apart are no neighbours in it."""
        text: list[str] = []
        starts: list[tuple[int, int]] = []
        ends: dict[int, int] = {}
        at = last = 0
        for piece, start, end in pieces(original):
            if start - last > GAP:
                text.append("\0")
                at += 1
            starts.append((at, start))
            text.append(piece)
            at += len(piece)
            ends[at] = last = end
        return cls(text="".join(text), starts=starts, ends=ends)


def _with_country(text: str, start: int) -> int:
    """Return where the phone number at `start` begins with its country code and bracket."""
    before = _COUNTRY.search(text, max(0, start - 4), start)
    return before.start() if before else start


def _found(text: str, start: int, end: int, entity: str) -> Found:
    return Found(start=start, end=end, entity=entity, value=text[start:end])
