"""What `status` shows: tables that fit, whole words, and what needs somebody first on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from tests.support.statuses import KNOWN, NOW, bridge, busy, status
from workers.app import queues
from workers.cli import status as command
from workers.cli.status_tables import few, lag, reads, view
from workers.watching.status import Status


def shown(seen: Status, width: int, *, many: int | None = 20) -> list[str]:
    """Return the lines of a status on a terminal of so many columns."""
    console = Console(file=StringIO(), width=width, record=True)
    console.print(view(seen, many=many).printed())
    return [line.rstrip() for line in console.export_text().splitlines()]


def row(lines: Sequence[str], *words: str) -> str:
    """Return the only line with all of these words."""
    (found,) = [line for line in lines if all(word in line for word in words)]
    return found


@pytest.mark.parametrize("width", [100, 160])
def test_a_busy_bridge_is_one_line_with_all_there_is_to_know(width: int) -> None:
    lines = shown(busy(), width)
    assert " ".join(row(lines, "tenant", "bridge").split()) == (
        "tenant bridge role hears topics events lag last sent again gaps"
    )
    assert " ".join(row(lines, "acme", "3f2a1b4c5d6e:7").split()) == (
        "acme 3f2a1b4c5d6e:7 leads 2 h 1197/1200 123/s 18/490 ms 3 s 123456 98765 1"
    )
    assert row(lines, "aa2a1b4c5d6e:7").split()[2:4] == ["stands", "by"]


@pytest.mark.parametrize("width", [100, 160])
def test_a_busy_queue_is_one_line(width: int) -> None:
    told = row(shown(busy(), width), "redact.acme", "123456")
    assert "1234" in told
    assert "2 h" in told
    assert "2.9/s" in told
    assert "ana@desk-17" in told


@pytest.mark.parametrize("width", [80, 100, 160])
def test_headings_and_names_of_queues_are_whole_words(width: int) -> None:
    lines = shown(busy(), width)
    for words in (("waiting", "delayed", "leased", "oldest"), ("holds", "slots"), ("hears", "lag")):
        assert row(lines, *words)
    assert row(lines, "attributes.acme")
    assert not [line for line in lines if "…" in line]
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (100, "tenant bridge role hears topics events lag last sent again gaps"),
        (90, "tenant bridge role hears topics events lag last sent gaps"),
        (80, "tenant bridge role hears topics events lag last gaps"),
        (72, "tenant bridge role hears topics events lag gaps"),
    ],
)
def test_where_there_is_no_room_columns_are_left_out_and_no_number_is_cut(
    width: int, headings: str
) -> None:
    lines = shown(busy(), width)
    assert " ".join(row(lines, "hears", "lag").split()) == headings
    told = row(lines, "leads", "2 h")
    assert "1197/1200" in told
    assert ("123456" in told) == ("sent" in headings)
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("changes", "word", "color"),
    [
        ({}, "leads", ""),
        ({"at": NOW - 300, "leads": False}, "gone 5 min", "red"),
        ({"connected_since": None}, "nothing", "red"),
        ({"rejected": 7}, "1193/1200", "red"),
        ({"leads": False, "connected_since": None, "rate": 0.0}, "stands by", "dim"),
        ({"listens": False, "leads": False, "topics": 0, "connected_since": None}, "receives", ""),
        ({"topics": 0, "connected_since": None}, "leads", ""),
    ],
)
def test_a_bridge_is_red_where_events_are_missed(
    changes: dict[str, Any], word: str, color: str
) -> None:
    (table,) = view(status(bridges=(bridge(**changes),))).tables
    assert word in "\n".join(shown(status(bridges=(bridge(**changes),)), 160))
    assert [row.style for row in table.listing.rows] == [color]


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (KNOWN, ["all"]),
        ([*KNOWN, "merge.typo"], ["all"]),
        (["attributes", "attributes.acme", "celery"], ["attributes.*", "celery"]),
        (["merge", "sync.acme"], ["merge", "sync.acme"]),
        (["redact", "redact.acme", "sweep.acme"], ["redact.*", "sweep.acme"]),
        ([], []),
    ],
)
def test_the_queues_of_a_worker_are_told_in_few_words(read: list[str], words: list[str]) -> None:
    assert reads(read, KNOWN) == words


def test_of_one_tenant_no_queue_stands_for_others() -> None:
    known = [each.name for each in queues(["default"])]
    assert reads(["merge", "sync"], known) == ["merge", "sync"]


def test_of_many_words_the_first_are_told() -> None:
    assert few([str(each) for each in range(9)]) == "0, 1, 2, 3, 4, 5, 6, 2 more"


@pytest.mark.parametrize(
    ("half", "most", "words"),
    [(0.018, 0.49, "18/490 ms"), (0.2, 3.14, "0.2/3.1 s"), (12.0, 95.0, "12/95 s")],
)
def test_a_lag_is_told_in_the_unit_of_its_worst(half: float, most: float, words: str) -> None:
    assert lag(half, most) == words


def screen(
    monkeypatch: pytest.MonkeyPatch, height: int, *, away: str = "", everything: bool = False
) -> list[str]:
    """Return the lines that a screen of so many lines has room for."""
    console = Console(file=StringIO(), width=100, height=height, record=True)
    monkeypatch.setattr(command, "out", console)
    console.print(command.screen(busy(), 2.0, away, everything=everything))
    return console.export_text().splitlines()[:height]


def test_a_screen_begins_with_what_needs_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = screen(monkeypatch, 60)
    assert "again every 2 s until Ctrl-C" in lines[0]
    assert "acme: 1 gap since" in lines[1]
    assert row(lines, "attributes.acme")


def test_a_low_screen_shows_what_is_busy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = screen(monkeypatch, 34)
    assert not [line for line in lines if "attributes.acme" in line]
    assert row(lines, "not shown: 13 idle queues")
    assert row(lines, "leads", "1197/1200")
    assert row(screen(monkeypatch, 34, everything=True), "attributes.acme")


def test_while_redis_is_away_what_was_seen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = screen(monkeypatch, 60, away="TimeoutError")
    assert lines[0].startswith("Redis does not answer (TimeoutError): this was seen at ")
    assert row(lines, "redact.acme", "123456")
