"""A table that fits into whatever terminal there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console, ConsoleOptions, OverflowMethod, RenderResult
from rich.table import Table
from rich.text import Text

#: Marks of a heading: its column stands to the right, may be folded, or is left out for want of
#: room, on a screen alone or everywhere. Of those that may be left out, the last goes first.
RIGHT, FOLDS, MAY_GO_ON_SCREEN, MAY_GO = ">", "~", "-", "?"

#: Characters of a cell that is never folded, and of a column that is.
WHOLE, FOLDED = 24, 8

#: Columns between two cells.
APART = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row's cells, its style, and in a word or two how it is with what it tells of.

    Among rows of one style, the worse has the greater `weight`.
    """

    cells: tuple[str, ...]
    style: str = ""
    state: str = ""
    weight: float = 0


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a listing, with the cells of all rows."""

    heading: str
    cells: Sequence[str]

    @property
    def title(self) -> str:
        return self.heading.rstrip(RIGHT + FOLDS + MAY_GO_ON_SCREEN + MAY_GO)

    @property
    def longest(self) -> int:
        return max(map(len, (self.title, *self.cells)))

    @property
    def folds(self) -> bool:
        return FOLDS in self.heading or self.longest > WHOLE

    def width(self, folded: int) -> int:
        """Return the least that it takes, where so many characters of it are shown if it folds."""
        return min(self.longest, folded) if self.folds else self.longest


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table without the columns in which nothing stands, and those for which there is no room.

    A cell is whole, or it is folded: no part of a number is ever cut off. On a screen no cell is
    folded; what is cut off there ends with `…`. Without `headings` it is lines of text.
    """

    rows: Sequence[Row]
    headings: str = ""
    box: box.Box | None = box.SIMPLE_HEAD
    on_screen: bool = False

    def screened(self) -> Listing:
        """Return it as it stands on a screen: each row is one line."""
        return replace(self, on_screen=True)

    def close(self, rows: Sequence[Row]) -> Listing:
        """Return it with these rows alone, on a line each below that of its headings."""
        return replace(self, rows=rows, box=None, on_screen=True)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        yield self.table(options.max_width)

    def table(self, width: int) -> Table:
        """Return it for so many columns of a terminal."""
        columns = self._columns(width)
        framed = self.box if self.headings else None
        shown = Table(
            box=framed,
            show_header=bool(self.headings),
            header_style="bold" if framed else "bold underline",
            pad_edge=False,
            padding=(0, APART - bool(framed), 0, 0),
        )
        for each in columns:
            shown.add_column(
                each.title,
                justify="right" if RIGHT in each.heading else "left",
                no_wrap=not each.folds,
                overflow=self._overflow,
            )
        for place, row in enumerate(self.rows):
            shown.add_row(*(self._cell(each.cells[place]) for each in columns), style=row.style)
        return shown

    @property
    def _overflow(self) -> OverflowMethod:
        return "ellipsis" if self.on_screen else "fold"

    def _cell(self, text: str) -> Text:
        return Text(text, no_wrap=self.on_screen or None, overflow=self._overflow)

    def _columns(self, width: int) -> list[Column]:
        headings = self.headings.split(",")
        by_column = zip(*(row.cells for row in self.rows), strict=True)
        columns = [
            Column(heading=heading, cells=cells)
            for heading, cells in zip(headings, by_column, strict=True)
            if any(cells)
        ]
        for each in [column for column in columns if self._may_go(column)][::-1]:
            if sum(self._least(column) + APART for column in columns) <= width:
                break
            columns.remove(each)
        return columns

    def _may_go(self, column: Column) -> bool:
        marks = (MAY_GO, MAY_GO_ON_SCREEN) if self.on_screen else (MAY_GO,)
        return any(mark in column.heading for mark in marks)

    def _least(self, column: Column) -> int:
        """Return the room for a column: on a screen, one that has to stay keeps most of it."""
        stays = self.on_screen and not self._may_go(column)
        return column.width(WHOLE if stays else FOLDED)
