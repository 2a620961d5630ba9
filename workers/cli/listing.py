"""A table that fits into whatever terminal there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

#: A row's cells, and its style.
Row = tuple[tuple[str, ...], str]

#: Marks of a heading: its column stands to the right, is folded, or is left out, for want of room.
RIGHT, FOLDS, MAY_GO = ">", "~", "?"

#: Characters of a cell that is never folded, and of a column that is.
WHOLE, FOLDED = 24, 8

#: Columns between two cells.
APART = 2


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a listing, with the cells of all rows."""

    heading: str
    cells: Sequence[str]

    @property
    def title(self) -> str:
        return self.heading.rstrip(RIGHT + FOLDS + MAY_GO)

    @property
    def longest(self) -> int:
        return max(map(len, (self.title, *self.cells)))

    @property
    def folds(self) -> bool:
        return FOLDS in self.heading or self.longest > WHOLE

    @property
    def width(self) -> int:
        """The least that it takes."""
        return min(self.longest, FOLDED) if self.folds else self.longest


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table without the columns in which nothing stands, and those for which there is no room.

    A cell is whole, or it is folded: no part of a number is ever cut off.
    """

    headings: str
    rows: Sequence[Row]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        yield self.table(options.max_width)

    def table(self, width: int) -> Table:
        """Return it for so many columns of a terminal."""
        columns = self._columns(width)
        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, APART - 1, 0, 0))
        for each in columns:
            shown.add_column(
                each.title,
                justify="right" if RIGHT in each.heading else "left",
                no_wrap=not each.folds,
                overflow="fold",
            )
        for place, (_, style) in enumerate(self.rows):
            shown.add_row(*(Text(each.cells[place]) for each in columns), style=style)
        return shown

    def _columns(self, width: int) -> list[Column]:
        by_column = zip(*(cells for cells, _ in self.rows), strict=True)
        columns = [
            Column(heading=heading, cells=cells)
            for heading, cells in zip(self.headings.split(","), by_column, strict=True)
            if any(cells)
        ]
        for each in [column for column in columns if MAY_GO in column.heading][::-1]:
            if sum(column.width + APART for column in columns) <= width:
                break
            columns.remove(each)
        return columns
