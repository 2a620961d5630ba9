"""A status on a low or narrow screen: the worst stands there, and what is missing is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

import pytest
from rich.console import Console

from tests.support.statuses import NOW, bridge, busy, queue, status, system, worker
from workers.bridge.state.gaps import Gap
from workers.cli import status as command
from workers.cli.fitting import NO_ROOM, Part, fitted
from workers.cli.listing import Listing, Row
from workers.watching.status import Status

SIZES = [(40, 15), (60, 20), (72, 24), (80, 24), (80, 30), (100, 40), (120, 40), (200, 70)]

#: As long as a tenant's name may be.
LONG = "umbrella-" * 7

#: Numbers of what goes on in a crowded system.
UNREAD, WAITING, IDLE, SILENT, PAUSED = 9, 30, 90, 25, 12


def crowded() -> Status:
    """Return the status of a system with more of everything than a screen has lines."""
    tenants = [LONG, *(f"tenant-{number}" for number in range(PAUSED - 1))]
    gap = Gap(id="g", start=NOW - 60, end=NOW, reason="silence")
    return status(
        queues=(
            *(queue(f"merge.idle-{number}") for number in range(IDLE)),
            *(
                queue(f"sync.t-{number}", waiting=123_456, delayed=1_234, head_waits=60.0 * number)
                for number in range(WAITING)
            ),
            queue(f"attributes.{LONG}", waiting=7, head_waits=86_400.0, achieved=2.9, leased=9),
        ),
        strays=tuple(
            queue(f"redact.typo-{number}", waiting=1, head_waits=5.0, trouble="unknown tenant")
            for number in range(UNREAD)
        ),
        systems=tuple(
            system(
                tenant, "genesys", spent=number + 1, reserved=1, window_left=9.0, pause_left=pause
            )
            for number, tenant in enumerate(tenants)
            for pause in (None, 30.0)
        ),
        pauses=tenants,
        workers=(
            worker("normal@host"),
            *(worker(f"old-{number}@host", alive=False) for number in range(SILENT)),
        ),
        bridges=tuple(bridge(tenant, rejected=3) for tenant in tenants),
        gaps=dict.fromkeys(tenants, (gap,)),
        findings={tenant: {"credit_card": 123_456, "email": 98_765} for tenant in tenants},
        dead_letters=1_234,
    )


def screen(
    monkeypatch: pytest.MonkeyPatch, seen: Status, size: tuple[int, int], *, away: str = ""
) -> list[str]:
    """Return the lines of a status on a screen of so many columns and lines."""
    width, height = size
    console = Console(file=StringIO(), width=width, height=height, record=True)
    monkeypatch.setattr(command, "out", console)
    console.print(command.screen(seen, 2.0, away, everything=False))
    return [line.rstrip() for line in console.export_text().splitlines()]


def told(lines: Sequence[str], nouns: str, state: str = "") -> int:
    """Return how many are not shown, in all or in a state."""
    line = "".join(line for line in lines if line.startswith("…") and nouns in line)
    of_them = state and f"all {state}" not in line
    found = re.search(rf"(\d+) {state}" if of_them else r"(\d+)", line)
    return int(found[1]) if found else 0


def shown(lines: Sequence[str], start: str) -> list[str]:
    return [line for line in lines if line.startswith(start)]


@pytest.mark.parametrize("size", [*SIZES, (80, 8), (80, 2)])
@pytest.mark.parametrize("seen", [busy(), crowded(), status()], ids=["busy", "crowded", "empty"])
def test_a_status_fits_every_screen(
    monkeypatch: pytest.MonkeyPatch, seen: Status, size: tuple[int, int]
) -> None:
    for away in ("", "ConnectionError"):
        lines = screen(monkeypatch, seen, size, away=away)
        assert len(lines) <= size[1]
        assert max(map(len, lines)) <= size[0]


@pytest.mark.parametrize("size", SIZES)
def test_each_row_is_shown_or_counted(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    lines = screen(monkeypatch, crowded(), size)
    names = ("merge.idle", "sync.t-", "attributes.", "redact.typo")
    queues = sum(len(shown(lines, name)) for name in names)
    assert queues + told(lines, "queues") == IDLE + WAITING + 1 + UNREAD
    workers = sum(len(shown(lines, name)) for name in ("old-", "normal@"))
    assert workers + told(lines, "workers") == SILENT + 1
    assert shown(lines, "held by workers: 0   dead letters: 1234")


@pytest.mark.parametrize("size", [(80, 24), (100, 24), (120, 40)])
def test_of_what_is_not_shown_it_is_told_what_needs_somebody(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    lines = screen(monkeypatch, crowded(), size)
    assert len(shown(lines, "redact.typo-")) + told(lines, "queues", "unread") == UNREAD
    waiting = len(shown(lines, "sync.t-")) + len(shown(lines, "attributes."))
    assert waiting + told(lines, "queues", "waiting") == WAITING + 1
    assert len(shown(lines, "old-")) + told(lines, "workers", "silent") == SILENT
    paused = len([line for line in lines if " is paused by " in line])
    assert paused + told(lines, "paused tenants") == PAUSED
    assert shown(lines, "held by workers: 0   dead letters: 1234   longest wait: 1 d in attrib")


def test_the_longest_wait_stands_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = status(queues=crowded().queues)
    lines = shown(screen(monkeypatch, seen, (80, 24)), "sync.t-")
    ages = [int(line.split()[3]) for line in lines]
    assert len(ages) > 10
    assert ages == sorted(ages, reverse=True)
    assert ages[0] == WAITING - 1


def test_who_has_set_a_rate_goes_before_why_nobody_reads_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = screen(monkeypatch, busy(), (80, 24))
    assert not [line for line in lines if "set by" in line]
    assert [line for line in lines if "merge.typo" in line and "unknown tenant typo" in line]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_columns_go_before_a_number_is_cut(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = screen(monkeypatch, busy(), (width, 19))
    (told_of,) = shown(lines, "redact.acme")
    assert "123456" in told_of
    assert "2 h" in told_of
    assert ("ana@desk" in told_of) == (width > 80)


def rows(styles: str) -> list[Row]:
    """Return a row for each letter: red, yellow, busy or quiet."""
    letters = {"r": "red", "y": "yellow", "b": "", "q": "dim"}
    return [
        Row(cells=(str(at),), style=letters[letter], state=letter)
        for at, letter in enumerate(styles)
    ]


def part(styles: str, *, share: int = 1, headings: str = "heading") -> Part:
    return Part(listing=Listing(rows=rows(styles), headings=headings), nouns="rows", share=share)


@pytest.mark.parametrize(
    ("styles", "height", "counts"),
    [
        (["bbb", "bbb"], 8, [3, 3]),
        (["bbb", "bbb"], 7, [3, 1]),
        (["bbb", "bbb"], 6, [1, 1]),
        (["bbb", "bbb"], 4, [1, 0]),
        (["bbb", "bbb"], 2, [0, 0]),
        (["qqq", "qbq"], 5, [0, 3]),
        (["bbq", "rrq"], 4, [0, 1]),
        (["bbbbbbbb", "rrrrrrrr"], 9, [2, 3]),
        (["qqqq", "b"], 6, [2, 1]),
        (["q"], 1, [0]),
        (["q"], 2, [1]),
    ],
)
def test_rows_are_given_by_turns_what_is_quiet_last(
    styles: Sequence[str], height: int, counts: list[int]
) -> None:
    parts = fitted([part(each) for each in styles], height)
    assert [each.shown for each in parts] == counts
    assert sum(each.height for each in parts) <= max(height, len(styles))


def test_a_part_with_a_greater_share_is_given_more() -> None:
    parts = fitted([part("b" * 20, share=3), part("b" * 20)], 12)
    assert [each.shown for each in parts] == [6, 2]


def test_a_line_without_others_like_it_is_never_replaced() -> None:
    (alone,) = fitted([part("r", headings="")], 0)
    assert alone.shown == 1


@pytest.mark.parametrize(
    ("height", "lines"),
    [
        (4, ["… 2 rows, all q", "… 2 rows: 1 y, 1 b", "… 2 rows, all r", "… 2 rows, all b"]),
        (3, ["… 2 rows, all r", "… 2 rows: 1 y, 1 b", f"… 4 {NO_ROOM}: 2 b, 2 q"]),
        (2, ["… 2 rows, all r", f"… 6 {NO_ROOM}: 1 y, 3 b, 2 q"]),
        (1, [f"… 8 {NO_ROOM}: 2 r, 1 y, 3 b, 2 q"]),
        (0, [f"… 8 {NO_ROOM}: 2 r, 1 y, 3 b, 2 q"]),
    ],
)
def test_parts_without_a_line_of_their_own_are_told_of_together(
    height: int, lines: list[str]
) -> None:
    assert printed([part(each) for each in ("qq", "by", "rr", "bb")], height) == lines


@pytest.mark.parametrize(
    ("styles", "height", "line"),
    [
        ("rrbqq", 1, "… 5 rows: 2 r, 1 b, 2 q"),
        ("qbrqr", 4, "… 3 more rows: 1 b, 2 q"),
        ("qqqqq", 3, "… 4 more rows, all q"),
        ("q", 1, "… 1 row, q"),
    ],
)
def test_what_is_missing_is_told_by_how_it_is(styles: str, height: int, line: str) -> None:
    assert printed([part(styles)], height)[-1] == line


def printed(parts: Sequence[Part], height: int) -> list[str]:
    console = Console(file=StringIO(), width=80, record=True)
    console.print(*fitted(parts, height))
    return console.export_text().splitlines()
