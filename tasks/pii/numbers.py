"""Numbers written in groups of digits: one pass over them, and what a rule may ask of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.pii.context import PLACEHOLDERS, TAKEN, Before, Said, said, said_before
from tasks.pii.findings import Finding

#: Up to three of these may stand between two digits of one number.
SEPARATORS = r"[ ./()-]{0,3}+"
#: A value ends where no digit follows, joined or not by one character, and no letter.
END = r"(?!\w|[-./][0-9])"

#: Begins with its first digit, as that is what `re` looks for fastest.
_RUN = re.compile(rf"[0-9](?<!\w[0-9])(?:{SEPARATORS}[0-9]){{5,}}+")
_OPENING = "(+"
#: The end of a value found before, of whose run this is the rest.
_CONTINUED = re.compile(rf"{TAKEN} ?\Z")
_GROUP = re.compile(r"\(?\+?\(?(?P<digits>[0-9]++)")
#: Characters of the longest value without an extension.
_LONGEST = 64
_JOINED_BEFORE = re.compile(r"\w[-./_=\\]$|[$€£] ?$|[#@&]$")
_JOINED_AFTER = re.compile(r"[-_/@]\w| ?[$€£%]")
_REDACTED = re.compile(PLACEHOLDERS)
#: A short message of one line answers a question.
_REPLY_LENGTH = 64
#: What can be said of a number of many digits.
_KINDS = {"phone", "ssn", "credit_card", "iban", "reference", "account"}


class Run:
    """Groups of digits with nothing but separators between them: one number or several.

    `asked` is what the other side asked for.
    """

    def __init__(self, text: str, start: int, end: int, asked: str | None) -> None:
        self.text, self.start, self.end, self.asked = text, start, end, asked

    @cached_property
    def before(self) -> Before | None:
        """The word that stands before all numbers of the run."""
        return said_before(self.text, self.start)

    def may_be(self, entity: str | None, start: int) -> bool:
        """Whether a word or question names `entity`, or a word after the run may still do."""
        if self.end - start <= _LONGEST or self.asked == entity:
            return True
        return self.before is not None and self.before.said.topic == entity

    @cached_property
    def is_in_reply(self) -> bool:
        """Whether the text is short and has not been redacted: what is left there is no value."""
        short = len(self.text) <= _REPLY_LENGTH and "\n" not in self.text.strip()
        return short and not _REDACTED.search(self.text)


class Number:
    """Digits of a run, from `start` to `end` of the text, that have a rule's shape."""

    def __init__(self, run: Run, start: int, end: int) -> None:
        self.run, self.text, self.start, self.end = run, run.text, start, end

    @cached_property
    def digits(self) -> str:
        return "".join(filter(str.isdigit, self.text[self.start : self.end]))

    @cached_property
    def said(self) -> Said:
        """What the nearest word says that this number is."""
        return said(self.text, self.start, self.end, self.run.before)

    @property
    def topic(self) -> str | None:
        """What this number is by the nearest word or, without one, by what was asked for."""
        return self.said.topic or self.run.asked

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
        unknown = self.run.is_in_reply and self.topic in (None, "email")
        return unknown and not self.is_part_of_a_code


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A number of this `shape` is an `entity`, or nothing of anybody's, where `holds` says so.

    `only_expected` rules are tried where a word or the other side's question names the entity.
    """

    entity: str | None
    shape: re.Pattern[str]
    holds: Callable[[Number], bool]
    only_expected: bool = False


def find_numbers(text: str, asked: str | None, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Yield the values in `text`; where several rules hold the first one counts.

    Each shape is tried once at every group of digits and looks at no more than some 40 characters,
    so that time grows with the length of the text.
    """
    for match in _RUN.finditer(text):
        run = Run(text, _opened(text, match.start()), match.end(), asked)
        first = -1 if _CONTINUED.search(text, max(0, run.start - 2), run.start) else run.start
        end = run.start
        for group in _GROUP.finditer(text, run.start, run.end):
            # Inside of a run no value begins with a single digit.
            if group.start() >= end and (end == first or group.end() > group.start() + 1):
                entity, start, end = _value_at(group, run, rules)
                if entity:
                    yield Finding(start=start, end=end, entity=entity)


def _opened(text: str, start: int) -> int:
    """Return where the `(` or `+` before the digit at `start` begins."""
    before = text[max(0, start - 3) : start]
    return start - len(before) + len(before.rstrip(_OPENING))


def _value_at(group: re.Match[str], run: Run, rules: Sequence[Rule]) -> tuple[str | None, int, int]:
    """Return the value that begins with a group, or else with its digits, and where it ends."""
    start, digits = group.start(), group.start("digits")
    for at in (start,) if start == digits else (start, digits):
        for rule in rules:
            if rule.only_expected and not run.may_be(rule.entity, at):
                continue
            match = rule.shape.match(run.text, at)
            if match and rule.holds(Number(run, at, match.end())):
                return rule.entity, at, match.end()
    return None, start, group.end()
