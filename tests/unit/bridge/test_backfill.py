"""How gaps are put together, and how a search finds its way without an API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.apis.genesys_platform.chat_search import ENDED, OPEN, Place
from tasks.apis.history import Chat, ChatPage, Guest, Span
from tasks.errors import Failed
from workers.bridge.backfilling.backfill import together
from workers.bridge.backfilling.recovery import Recovery
from workers.bridge.judging.rules import default_rules
from workers.bridge.reading.events import Event
from workers.bridge.settings import BridgeSettings
from workers.bridge.state.gaps import Gap

NOW = datetime(2026, 3, 19, 22, 4, 48, tzinfo=UTC)
DAY = timedelta(days=1)


def gap(start: float, end: float) -> Gap:
    return Gap(id=f"{start}-{end}", start=start, end=end, reason="drop")


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], []),
        ([(0, 10)], [1]),
        ([(0, 10), (5, 20)], [2]),
        ([(0, 10), (12, 20)], [2]),
        ([(0, 10), (13, 20)], [1, 1]),
        ([(0, 100), (10, 20), (102, 110)], [3]),
        ([(50, 60), (0, 10), (11, 20)], [2, 1]),
    ],
)
def test_gaps_near_each_other_are_searched_together(
    gaps: list[tuple[float, float]], expected: list[int]
) -> None:
    found = [*together([gap(*each) for each in gaps], 2)]
    assert [len(each) for each in found] == expected


spans = st.lists(
    st.tuples(st.integers(0, 1_000), st.integers(0, 50)).map(lambda g: (g[0], g[0] + g[1])),
    max_size=12,
    unique=True,
)


@given(spans=spans, distance=st.integers(0, 20))
def test_each_gap_is_searched_once_and_groups_are_apart(
    spans: list[tuple[int, int]], distance: int
) -> None:
    found = [*together([gap(*each) for each in spans], distance)]
    assert sorted((g.start, g.end) for group in found for g in group) == sorted(spans)
    for before, after in pairwise(found):
        assert min(g.start for g in after) - max(g.end for g in before) > distance


# Places of a search


def place(kind: str, page: int, size: int = 100, days: float = 7) -> Place:
    return Place(kind=kind, page=page, size=size, start=NOW - days * DAY, end=NOW)


@given(kind=st.sampled_from([OPEN, ENDED]), page=st.integers(1, 100), size=st.integers(2, 100))
def test_smaller_pages_leave_nothing_out(kind: str, page: int, size: int) -> None:
    old, new = place(kind, page, size), place(kind, page, size).with_smaller_pages()
    assert new.size == size // 2
    if kind == ENDED:  # on from the first one of the page
        assert (new.page - 1) * new.size <= (old.page - 1) * old.size < new.page * new.size
    else:  # back from the last one of the page
        assert (new.page - 1) * new.size < old.page * old.size <= new.page * new.size


@given(days=st.floats(0.01, 31), hour=st.integers(0, 23))
def test_a_piece_is_halved_at_a_midnight_until_it_is_within_a_day(days: float, hour: int) -> None:
    end = NOW.replace(hour=hour)
    piece = Place(kind=OPEN, page=3, size=100, start=end - days * DAY, end=end)
    while half := piece.half():
        assert piece.start < half.end < piece.end
        assert (half.end.hour, half.end.minute, half.end.second) == (0, 0, 0)
        assert (half.start, half.page) == (piece.start, 0)
        piece = half
    assert (piece.end - timedelta.resolution).date() == piece.start.date()


@given(page=st.integers(0, 100), size=st.integers(1, 100))
def test_a_place_is_what_its_cursor_says(page: int, size: int) -> None:
    kind, *numbers = str(place(ENDED, page, size)).split(":")
    assert Place.at(kind, numbers) == place(ENDED, page, size)


# Searching


class Told:
    """Implements `History` by pages that are given, and the patience to ask for them."""

    def __init__(self, *pages: tuple[Sequence[Chat], str | None]) -> None:
        self._pages = [ChatPage(chats=chats, next_cursor=cursor) for chats, cursor in pages]
        self.spans: list[Span] = []

    def chats(self, span: Span, cursor: str | None) -> ChatPage:  # noqa: ARG002  # the seam's
        self.spans.append(span)
        return self._pages.pop(0)

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        return question(SimpleNamespace(past=self))


def events(told: Told, **settings: Any) -> list[Sequence[Event]]:
    tenant = SimpleNamespace(api="guide")
    held = BridgeSettings.model_validate({"queues": ["q-1"], **settings})
    recovery = Recovery(cast(Any, told), cast(Any, tenant), held, default_rules())

    async def read() -> list[Sequence[Event]]:
        return [batch async for batch in recovery.events(NOW - DAY, NOW, set())]

    return asyncio.run(read())


def left(name: str, at: datetime = NOW - DAY / 2) -> Chat:
    guest = Guest(id="g", purpose="customer", left=at)
    return Chat(id=name, over=True, ended=at, guests=[guest], queues=["q-1"])


def test_a_chat_that_two_pages_tell_in_the_same_way_is_told_once() -> None:
    told = Told(([left("a"), left("b")], "2"), ([left("b"), left("c")], "3"), ([], None))
    found = [[each.body.get("conversationId") for each in batch] for batch in events(told)]
    assert found == [["a", None, "b", None], ["c", None], []]


def test_the_time_is_widened_and_looked_back_from() -> None:
    told = Told(([], None))
    events(told, margin_seconds=30, look_back_days=2)
    second = timedelta(seconds=30)
    assert told.spans == [Span(start=NOW - DAY - second, end=NOW + second, look_back=2 * DAY)]


def test_an_id_that_no_message_may_name_is_passed_over() -> None:
    told = Told(([left("../etc"), left("a b"), left("a")], None))
    assert [len(batch) for batch in events(told)] == [2]


def test_a_cursor_that_stands_still_is_an_error() -> None:
    told = Told(([], "1"), ([], "1"), ([], "1"))
    with pytest.raises(Failed, match="stands still"):
        events(told)
