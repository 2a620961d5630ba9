"""Numbered pages of a list, read to the last one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from tasks.apis import answers
from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.errors import OutcomeUnknown

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page as it was asked for by `call`; one that is not `full` is the last."""

    call: Call
    items: Sequence[T]
    full: bool


def read_all(
    http: Http, read: Callable[[int], Page[T]], identity: Callable[[T], Hashable]
) -> Iterator[T]:
    """Yield the items of the pages 1, 2, … that `read` returns.

    Raises `OutcomeUnknown` at a full page without any item that is new by its `identity`: a server
    that ignores the page's number would never come to an end.
    """
    seen: set[Hashable] = set()
    for number in count(1):
        page = read(number)
        found = {identity(item) for item in page.items}
        if page.full and found <= seen:
            raise standing_still(http, page.call)
        seen |= found
        yield from page.items
        if not page.full:
            return


def standing_still(http: Http, call: Call) -> OutcomeUnknown:
    """Return the error for a page that brings nothing new and is not the last."""
    error = answers.unknown(http.endpoint.system, call, 200)
    error.note = "a page brings nothing new and is not the last"
    return error
