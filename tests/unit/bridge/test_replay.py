"""Events from a file or a pipe."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import BrokerAway, SettingsError
from tests.support.arriving import SOURCE, Shelf, enveloped, intake, left, until
from workers.bridge.intake import Taken
from workers.bridge.reading.events import MAX_EVENT_BYTES
from workers.bridge.replay import MOST_NAMED, PART, Lines, Read, Replayed, opened, replay
from workers.bridge.watching.metrics import BridgeMetrics


def lines(*events: Any) -> bytes:
    return b"".join(
        (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n"
        for event in events
    )


def in_parts(content: bytes, size: int) -> Read:
    """Return what reads `content` in parts of at most that size."""
    stream = io.BytesIO(content)
    return lambda count: stream.read(min(count, size))


def replayed(shelf: Shelf, read: Read, **options: Any) -> Replayed:
    return asyncio.run(replay(read, "acme", intake(shelf), **options))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_every_line_is_taken_however_the_file_is_read(size: int) -> None:
    shelf = Shelf()
    content = lines(left("c-1"), b"", enveloped(left("c-2")), b" \r", left("c-1"))
    found = replayed(shelf, in_parts(content, size))
    assert found == Replayed(read=3, taken=Taken(events=3, enqueued=2, duplicates=1))
    assert shelf.subjects == {"c-1": 1, "c-2": 1}


def test_the_last_line_may_lack_its_end() -> None:
    shelf = Shelf()
    replayed(shelf, in_parts(lines(left("c-1"), left("c-2"))[:-1], 100_000))
    assert shelf.subjects == {"c-1": 1, "c-2": 1}


def test_an_empty_file_holds_nothing() -> None:
    assert replayed(Shelf(), in_parts(b"", 1)) == Replayed()


def test_unreadable_lines_are_named_by_their_numbers() -> None:
    shelf, metrics = Shelf(), BridgeMetrics()
    content = lines(b"no JSON", left("c-1"), b"", b"{}", left("c-2"))
    reading = replay(in_parts(content, 10), "acme", intake(shelf, metrics))
    found = asyncio.run(reading)
    assert found.first == ((1, "not JSON"), (4, "no topic"))
    assert (found.read, found.unreadable, found.taken.enqueued) == (4, 2, 2)
    assert metrics.snapshot("acme")["counts"]["unreadable"] == 2


def test_of_many_unreadable_lines_the_first_are_named() -> None:
    found = replayed(Shelf(), in_parts(b"x\n" * 1_000, 100_000))
    assert (found.read, found.unreadable) == (1_000, 1_000)
    assert [number for number, _ in found.first] == list(range(1, MOST_NAMED + 1))


def test_a_line_may_be_as_long_as_an_event_and_not_longer() -> None:
    event = json.dumps(left("c-1")).encode()
    longest = event.replace(b"MESSAGE", b"MESSAGE" + b'","x":"' + b"x" * 100, 1)
    longest = longest.replace(b"x" * 100, b"x" * (100 + MAX_EVENT_BYTES - len(longest)))
    assert len(longest) == MAX_EVENT_BYTES
    shelf = Shelf()
    found = replayed(shelf, in_parts(lines(longest + b"\r", longest + b" x", left("c-2")), PART))
    assert found.first == ((2, "too large"),)
    assert shelf.subjects == {"c-1": 1, "c-2": 1}


def test_a_line_without_end_takes_no_memory() -> None:
    part, lines_ = b"x" * PART, Lines()
    tracemalloc.start()
    try:
        for _ in range(400):  # 50 MB
            assert not list(lines_.of(part))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_EVENT_BYTES
    assert list(lines_.of(b"\n{}\n")) == [(1, None), (2, b"{}")]


def test_nothing_is_read_while_what_was_read_is_on_its_way() -> None:
    content = lines(*(left() for _ in range(2_000)))
    stream = io.BytesIO(content)

    async def story() -> Replayed:
        shelf = Shelf(gate=asyncio.Event())
        assert shelf.gate is not None
        going = asyncio.create_task(replay(stream.read, "acme", intake(shelf)))
        await until(stream.tell)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert stream.tell() == PART
        shelf.gate.set()
        return await going

    assert asyncio.run(story()).taken.enqueued == 2_000


def test_a_pipe_is_served_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    with piped(monkeypatch) as (write, close):

        async def story() -> Replayed:
            with opened("-") as read:
                going = asyncio.create_task(replay(read, "acme", intake(shelf)))
                write(lines(left("c-1")))
                await until(lambda: shelf.subjects["c-1"])
                write(lines(left("c-2")))
                await until(lambda: shelf.subjects["c-2"])
                close()
                return await going

        assert asyncio.run(story()).taken.enqueued == 2


def test_a_pipe_that_says_nothing_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with piped(monkeypatch) as (_, _):

        async def story() -> None:
            with opened("-") as read:
                await asyncio.wait_for(replay(read, "acme", intake(Shelf())), 0.05)

        with pytest.raises(TimeoutError):
            asyncio.run(story())


@contextmanager
def piped(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a pipe in the place of standard input, and give what writes to it, and what closes it."""
    ours, theirs = os.pipe()
    closed = False

    def close() -> None:
        nonlocal closed
        if not closed:
            os.close(theirs)
        closed = True

    with os.fdopen(ours) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        try:
            yield lambda data: os.write(theirs, data), close
        finally:
            close()


def test_standard_input_may_be_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(left("c-1")))))
    with opened("-") as read:
        replayed(shelf, read)
    assert shelf.subjects == {"c-1": 1}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_a_file_may_be_gzipped(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    shelf, path = Shelf(), tmp_path / "events"
    parts = [pack(lines(*(left() for _ in range(1_000)))) for _ in range(2)]
    path.write_bytes(b"".join(parts))
    with opened(str(path)) as read:
        found = replayed(shelf, read)
    assert found.taken.enqueued == 2_000


def test_a_zipped_file_of_one_endless_line_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "events.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(50):
            stream.write(b" x" * 500_000)
    tracemalloc.start()
    try:
        with opened(str(path)) as read:
            found = replayed(Shelf(), read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.first == ((1, "too large"),)
    assert peak < 8 * MAX_EVENT_BYTES


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match="absent: No such file"),
        opened(str(tmp_path / "absent")),
    ):
        raise AssertionError


def test_a_named_pipe_is_a_file_too(tmp_path: Path) -> None:
    shelf, path = Shelf(), tmp_path / "events"
    os.mkfifo(path)
    content = gzip.compress(lines(left("c-1")))
    writing = threading.Thread(target=path.write_bytes, args=(content,))
    writing.start()
    with opened(str(path)) as read:
        replayed(shelf, read)
    writing.join()
    assert shelf.subjects == {"c-1": 1}


@pytest.mark.parametrize("cut", [slice(0, 200), slice(0, 12)], ids=["cut off", "its head alone"])
def test_a_zipped_file_that_is_cut_off_is_named(cut: slice, tmp_path: Path) -> None:
    path = tmp_path / "events.gz"
    path.write_bytes(gzip.compress(os.urandom(5_000))[cut])
    with (
        pytest.raises(SettingsError, match=r"events\.gz: cannot be unzipped"),
        opened(str(path)) as read,
    ):
        replayed(Shelf(), read)


def test_a_file_that_is_no_gzip_behind_its_head_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.gz"
    path.write_bytes(b"\x1f\x8b" + b"no gzip at all")
    with (
        pytest.raises(SettingsError, match=r"events\.gz: cannot be unzipped"),
        opened(str(path)) as read,
    ):
        replayed(Shelf(), read)


def test_events_of_a_foreign_source_are_refused() -> None:
    shelf = Shelf()
    content = lines(
        enveloped(left("c-1")), enveloped(left("c-2"), "aws.partner/other"), left("c-3")
    )
    found = replayed(shelf, in_parts(content, PART), sources=(SOURCE,))
    assert found.first == ((2, "foreign source"),)
    assert shelf.subjects == {"c-1": 1, "c-3": 1}


def test_it_tells_how_far_it_has_come_until_the_broker_goes() -> None:
    shelf, told = Shelf(), list[Replayed]()
    content = lines(*(left() for _ in range(3_000)))

    def tell(so_far: Replayed) -> None:
        told.append(so_far)
        shelf.away = len(told) == 2

    with pytest.raises(BrokerAway):
        replayed(shelf, in_parts(content, PART), tell=tell)
    assert 0 < told[0].taken.enqueued < told[1].taken.enqueued == len(shelf.put_on)

    shelf.away = False
    found = replayed(shelf, in_parts(content, PART))
    assert found.taken.duplicates == told[1].taken.enqueued
    assert len(shelf.put_on) == 3_000
