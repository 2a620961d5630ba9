"""Events from a file or a pipe, one JSON a line, through the same intake as any others.

No line is waited for once others are there, and nothing more is read while these are on their way
to the broker: a pipe is served as it comes, and a file of any length takes little memory.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import sys
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tasks.errors import SettingsError, UnreadableEvent
from workers.bridge.intake import Intake, Taken, check_origin
from workers.bridge.reading.events import MAX_EVENT_BYTES, Event, parse

STDIN = "-"

#: Bytes that are read at once.
PART = 131_072

#: Unreadable lines that are named.
MOST_NAMED = 10

_GZIP = b"\x1f\x8b"

#: Returns what there is, so many bytes at most; none at the end.
Read = Callable[[int], bytes]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What has become of the lines that were not blank; the first unreadable ones by number."""

    read: int = 0
    taken: Taken = field(default_factory=Taken)
    unreadable: int = 0
    first: tuple[tuple[int, str], ...] = ()

    def and_taken(self, taken: Taken) -> Replayed:
        """Return it with what came of further events."""
        return replace(self, taken=self.taken + taken)

    def and_unreadable(self, number: int, reason: str) -> Replayed:
        """Return it with one more line that is no event."""
        first = (*self.first, (number, reason))[:MOST_NAMED]
        return replace(self, unreadable=self.unreadable + 1, first=first)


@contextmanager
def opened(source: str) -> Iterator[Read]:
    """Open a file, which may be gzipped, or standard input.

    This, and reading, raise `SettingsError` naming it.
    """
    if source == STDIN:
        yield _naming(source, _standard_input())
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise SettingsError(f"{source}: {error.strerror}") from None
    with stream:
        # A pipe can be opened once only.
        zipped = _naming(source, stream.peek)(len(_GZIP)).startswith(_GZIP)
        held = gzip.GzipFile(fileobj=stream) if zipped else stream
        yield _naming(source, held.read1)


def _naming(source: str, read: Read) -> Read:
    def named(count: int) -> bytes:
        try:
            return read(count)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise SettingsError(f"{source}: cannot be unzipped to its end") from None
        except OSError as error:
            raise SettingsError(f"{source}: {error.strerror}") from None

    return named


def _standard_input() -> Read:
    """Return what reads past the buffer: who waits there when the program ends, would hold it."""
    try:
        return partial(os.read, sys.stdin.fileno())
    except io.UnsupportedOperation:  # one that is in memory
        return sys.stdin.buffer.read


async def replay(
    read: Read,
    tenant: str,
    intake: Intake,
    *,
    sources: Collection[str] = (),
    tell: Callable[[Replayed], None] = lambda _: None,
) -> Replayed:
    """Take the events of every line for `tenant`, and `tell` how far it has come after each part.

    What comes from an EventBridge source that begins with none of `sources` is refused, where there
    are any. Raises `BrokerAway`; to begin again from the first line is harmless then.
    """
    replayed, lines = Replayed(), Lines()
    async for part in _parts(read):
        events: list[Event] = []
        for number, line in lines.of(part):
            replayed = replace(replayed, read=replayed.read + 1)
            try:
                events.append(_event(line, sources))
            except UnreadableEvent as error:
                intake.unreadable(tenant, "file", error.reason)
                replayed = replayed.and_unreadable(number, error.reason)
        replayed = replayed.and_taken(await intake.take(tenant, events))
        tell(replayed)
    return replayed


def _event(line: bytes | None, sources: Collection[str]) -> Event:
    if line is None:
        raise UnreadableEvent("too large")
    event = parse(line, "file")
    check_origin(event, sources)
    return event


@dataclass
class Lines:
    """Makes lines of parts, and numbers them; it holds no more than one event may have."""

    number: int = 0
    _begun: bytearray = field(default_factory=bytearray)
    _skipping: bool = False

    def of(self, part: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Yield the lines that end in `part`, but for blank ones; None stands for one too long.

        An empty part is the end, and ends the last line.
        """
        *ends, begun = part.split(b"\n") if part else (b"", b"")
        for end in ends:
            self._add(end)
            yield from self._line()
        self._add(begun)

    def _add(self, more: bytes) -> None:
        # One byte more, as a line may end in \r\n.
        self._skipping |= len(self._begun) + len(more) > MAX_EVENT_BYTES + 1
        if self._skipping:
            self._begun.clear()
        else:
            self._begun += more

    def _line(self) -> Iterator[tuple[int, bytes | None]]:
        self.number += 1
        line, skipped = bytes(self._begun).strip(), self._skipping
        self._begun.clear()
        self._skipping = False
        if line or skipped:
            yield self.number, None if skipped else line


async def _parts(read: Read) -> AsyncIterator[bytes]:
    while True:
        part = await _in_thread(lambda: read(PART))
        yield part
        if not part:
            return


async def _in_thread(call: Callable[[], bytes]) -> bytes:
    """Return what `call` does, from a thread that nobody waits for at the end.

    A pipe may say nothing for as long as it likes.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[bytes] = loop.create_future()

    def settle(result: bytes | BaseException) -> None:
        if found.done():
            return
        if isinstance(result, BaseException):
            found.set_exception(result)
        else:
            found.set_result(result)

    def run() -> None:
        try:
            result: bytes | BaseException = call()
        except Exception as error:  # noqa: BLE001  # raised where it is awaited
            result = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="replay", daemon=True).start()
    return await found
