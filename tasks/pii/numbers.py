"""Numbers written in groups of digits: one pass over them, and what a rule may ask of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.pii.context import Said, said_of
from tasks.pii.findings import Finding

#: Up to three of these may stand between two digits of one number.
SEPARATORS = r"[ ./()-]{0,3}+"
#: A value ends where no digit follows, joined or not by one character, and no letter.
END = r"(?!\w|[-./][0-9])"

_RUN = re.compile(rf"(?<!\w)\(?\+?\(?[0-9](?:{SEPARATORS}[0-9]){{5,}}+")
_GROUP = re.compile(r"\(?\+?\(?(?P<digits>[0-9]++)")
_JOINED_BEFORE = re.compile(r"\w[-./_=\\]$|[$€£] ?$|[#@&]$")
_JOINED_AFTER = re.compile(r"[-_/@]\w| ?[$€£%]")
#: A short message of one line answers a question.
_REPLY_LENGTH = 64
#: What can be said of a number of many digits.
_KINDS = {"phone", "ssn", "credit_card", "iban", "reference", "account"}


@dataclass(frozen=True, kw_only=True)
class Number:
    """Digits of `text` that have a rule's shape; `asked` is what the other side asked for."""

    text: str
    start: int
    end: int
    asked: str | None

    @cached_property
    def digits(self) -> str:
        return "".join(filter(str.isdigit, self.text[self.start : self.end]))

    @cached_property
    def is_grouped(self) -> bool:
        return not self.text[self.start : self.end].isdigit()

    @cached_property
    def said(self) -> Said:
        """What the nearest word says that this number is."""
        return said_of(self.text, self.start, self.end)

    @property
    def topic(self) -> str | None:
        """What this number is by the nearest word or, without one, by what was asked for."""
        return self.said.topic or self.asked

    def is_labelled_other_than(self, entity: str) -> bool:
        """Whether a word of the same clause says that this is a number of another kind."""
        return self.said.direct and self.said.topic in _KINDS - {entity}

    @property
    def is_part_of_a_code(self) -> bool:
        """Whether something is joined to it: `ABC-555-123-4567`, `/item/2125550100`, `$100`."""
        before = self.text[max(0, self.start - 2) : self.start]
        after = self.text[self.end : self.end + 2]
        return bool(_JOINED_BEFORE.search(before) or _JOINED_AFTER.match(after))

    @property
    def is_reply(self) -> bool:
        """Whether this is a number in an answer to a question that nobody told us."""
        short = len(self.text) <= _REPLY_LENGTH and "\n" not in self.text.strip()
        return short and self.topic in (None, "email") and not self.is_part_of_a_code


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A number of this `shape` is an `entity`, or nothing of anybody's, where `holds` says so."""

    entity: str | None
    shape: re.Pattern[str]
    holds: Callable[[Number], bool]


def find_numbers(text: str, asked: str | None, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Yield the values in `text`; where several rules hold the first one counts.

    Each shape is tried once at every group of digits and looks at no more than some 40 characters,
    so that time grows with the length of the text.
    """
    for run in _RUN.finditer(text):
        end = run.start()
        for group in _GROUP.finditer(text, run.start(), run.end()):
            if group.start() < end:
                continue
            for start in sorted({group.start(), group.start("digits")}):
                entity, end = _first_that_holds(text, start, asked, rules)
                if entity:
                    yield Finding(start=start, end=end, entity=entity)
                if end > start:
                    break


def _first_that_holds(
    text: str, start: int, asked: str | None, rules: Sequence[Rule]
) -> tuple[str | None, int]:
    for rule in rules:
        if match := rule.shape.match(text, start):
            number = Number(text=text, start=start, end=match.end(), asked=asked)
            if rule.holds(number):
                return rule.entity, match.end()
    return None, start
