"""The texts of a conversation in order: who said each, what it answers, what was found in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tasks.pii import finding
from tasks.pii.dialogue import Side, side
from tasks.pii.findings import Finding
from tasks.pii.placeholders import Placeholder
from tasks.pii.places import Place, places


@dataclass(frozen=True, kw_only=True)
class Found(Finding):
    """A finding with its value, which is longer than its text where it is one part of a split one.

    `counts` is False for the further parts.
    """

    value: str = field(repr=False)
    counts: bool = True


#: Finds what is in a text that answers a question about a topic.
Look = Callable[[str, str | None], Iterable[Found]]


@dataclass(kw_only=True, eq=False)
class Line:
    """One text of the message number `turn`.

    `text` is the place's text as far as it has been redacted. `found` is in offsets of the place's
    text, `new`, in order and disjoint, in those of `text`.
    """

    place: Place
    turn: int
    side: Side = field(repr=False)
    text: str = field(repr=False)
    asked: str | None = None
    new: list[Found] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    #: The text and the topic with which it was looked at last.
    looked_at: tuple[str, str | None] | None = field(default=None, repr=False)

    def look(self, look: Look) -> None:
        """Look for new findings, unless the text was looked at already and nothing was there."""
        if self.looked_at != (self.text, self.asked):
            self.looked_at = (self.text, self.asked)
            self.new = list(look(self.text, self.asked))

    def put(self, found: Found) -> None:
        """Add to the new findings; what lies within it gives way, what it would cut stays."""
        touched = self._touched(found)
        if all(within(other, found) for other in self.new[touched]):
            self.new[touched] = [found]

    def add(self, more: Iterable[Found]) -> None:
        """Put what is not found already."""
        for each in more:
            if not any(within(each, other) for other in self.new[self._touched(each)]):
                self.put(each)

    def _touched(self, found: Found) -> slice:
        """Return where the new findings are that share a character with `found`."""
        return slice(
            bisect_right(self.new, found.start, key=_end),
            bisect_left(self.new, found.end, key=_start),
        )

    def settle(self, placeholder: Placeholder) -> None:
        """Put placeholders in place of what is new."""
        if self.new:
            self.found = sorted((*self.found, *self._in_place(placeholder)), key=_start)
            self.new = []
            self.text = replaced(self.place.text, self.found, placeholder)

    def _in_place(self, placeholder: Placeholder) -> Iterator[Found]:
        """Yield the new findings in offsets of the place's text."""
        shift, earlier = 0, iter(self.found)
        next_one = next(earlier, None)
        for each in self.new:
            while next_one and next_one.start - shift < each.start:
                length = next_one.end - next_one.start
                shift += length - len(placeholder(next_one, next_one.value))
                next_one = next(earlier, None)
            yield replace(each, start=each.start + shift, end=each.end + shift)


def lines_of(messages: Sequence[object]) -> list[Line]:
    """Return every text of the messages, in order."""
    return [
        Line(place=place, turn=turn, side=speaker, text=place.text)
        for turn, message in enumerate(messages)
        for speaker in (side(message),)
        for place in places(message)
    ]


def replaced(text: str, found: Iterable[Found], placeholder: Placeholder) -> str:
    """Return `text` with placeholders for the values of what was found."""
    values = {(each.start, each.end): each.value for each in found}
    return finding.replace(
        text, found, lambda each, _: placeholder(each, values[each.start, each.end])
    )


def within(inner: Finding, outer: Finding) -> bool:
    """Return whether all of one finding lies in another."""
    return outer.start <= inner.start and inner.end <= outer.end


def _start(each: Finding) -> int:
    return each.start


def _end(each: Finding) -> int:
    return each.end
