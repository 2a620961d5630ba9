"""Pages that name the cursor of the next one, read to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.apis.pages import standing_still

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class CursorPage(Generic[T]):
    """One page as it was asked for by `call`; `after` is the next cursor, empty at the end."""

    call: Call
    items: Sequence[T]
    after: str


def read_to_end(http: Http, read: Callable[[str], CursorPage[T]]) -> Iterator[T]:
    """Yield the items of all pages; `read` is given a cursor, an empty one for the first page.

    Raises `OutcomeUnknown` at a cursor that was there before: it would never come to an end.
    """
    cursor = ""
    seen = {cursor}
    while True:
        page = read(cursor)
        yield from page.items
        cursor = page.after
        if not cursor:
            return
        if cursor in seen:
            raise standing_still(http, page.call)
        seen.add(cursor)
