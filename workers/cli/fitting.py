"""Listings on a screen too low for all of their rows: the worst ones, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import RenderResult
from rich.text import Text

from workers.cli.listing import Listing, Row

#: Styles of rows, the worst first; the last is that of rows where nothing happens.
GRAVITY = ("red", "yellow", "", "dim")
QUIET = GRAVITY[-1]

#: What is told of together, where a screen is lower than there are tables and notes.
NO_ROOM = "lines for which there is no room"


def gravity(row: Row) -> int:
    """Return the place of a row among worse and better ones; the worst is 0."""
    return GRAVITY.index(row.style)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A listing of which no more than `shown` rows are on the screen.

    One more line tells how many others there are, and how it is with them. `nouns` is what rows
    tell of; `share` is how many of them it is given at a time, where other parts get one.
    """

    listing: Listing
    nouns: str
    share: int = 1
    shown: int = 0

    @property
    def rest(self) -> Sequence[Row]:
        return self.listing.rows[self.shown :]

    @property
    def height(self) -> int:
        """The lines that it takes."""
        heading = bool(self.shown and self.listing.headings)
        return heading + self.shown + bool(self.rest)

    @property
    def turn(self) -> tuple[bool, int, int]:
        """When its next row is due: what is quiet after all else, and the worse of equals first."""
        row = self.rest[0]
        return row.style == QUIET, self.shown // self.share, gravity(row)

    def worst_first(self) -> Part:
        """Return it with its worst row first."""
        rows = sorted(self.listing.rows, key=lambda row: (gravity(row), -row.weight))
        return replace(self, listing=replace(self.listing, rows=rows))

    def longer(self) -> Part:
        """Return it with one more row."""
        return replace(self, shown=self.shown + 1)

    def __rich_console__(self, *_: object) -> RenderResult:
        if self.shown:
            yield self.listing.close(self.listing.rows[: self.shown])
        if self.rest:
            style = min(self.rest, key=gravity).style
            yield Text(self._missing(), style, no_wrap=True, overflow="ellipsis")

    def _missing(self) -> str:
        """Say what is not shown: `… 12 more queues: 2 waiting, 10 idle`."""
        count = len(self.rest)
        nouns = self.nouns.removesuffix("s") if count == 1 else self.nouns
        return f"… {count} {'more ' * bool(self.shown)}{nouns}{_told(self.rest)}"


def _told(rows: Sequence[Row]) -> str:
    states = Counter(row.state for row in rows if row.state)
    if len(states) > 1:
        return f": {', '.join(f'{count} {state}' for state, count in states.items())}"
    return "".join(f", {'all ' * (len(rows) > 1)}{state}" for state in states)


def fitted(parts: Sequence[Part], height: int) -> Sequence[Part]:
    """Return the parts with so many of their worst rows as so many lines have room for.

    None is left out: where there is no room for any of its rows, one line says what it has; where
    there is no room for that, the last line is of all such parts.
    """
    found = _joined([part.worst_first() for part in parts if part.rest], height)
    room = height - len(found)
    growing = set(range(len(found)))
    while growing:
        at = min(growing, key=lambda each: (found[each].turn, each))
        longer = found[at].longer()
        cost = longer.height - found[at].height
        if cost <= max(room, 0):
            found[at], room = longer, room - cost
        if found[at] is not longer or not longer.rest:
            growing.discard(at)
    return found


def _joined(parts: list[Part], height: int) -> list[Part]:
    """Return the parts, those for which there is no line joined to one; the worst is not."""
    if len(parts) <= height:
        return parts
    ordered = sorted(parts, key=lambda part: gravity(part.rest[0]))
    first, others = ordered[: max(height - 1, 0)], ordered[max(height - 1, 0) :]
    rows = [row for part in others for row in part.rest]
    return [*first, Part(listing=Listing(rows=rows), nouns=NO_ROOM).worst_first()]
