"""Checks a tenant's audit records: nothing altered, missing or reordered; and what nobody can know.

Records come from any number of places, the stream and files, and are looked at in the order of
their numbers, each place read once and none held in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from workers.auditing.audit import CHECKPOINT, CHECKPOINTS, Ends
from workers.consuming.chain import Broken, Head, Link, digest

#: The stream's name among the places.
STREAM = "the stream"

#: Records between two calls of `seen`.
STROKE = 1_000

#: A record, and the name of the place where it stands.
Found = tuple[str, Link]


@dataclass(frozen=True, kw_only=True)
class Anchors:
    """What Redis says of a chain: where it ends, and how many records are never trimmed."""

    ends: Ends
    keep: int

    @property
    def head(self) -> Head:
        return self.ends.head

    @property
    def checkpoints(self) -> Mapping[int, str]:
        return self.ends.checkpoints


@dataclass(kw_only=True)
class Checked:
    """What was found: how many records from which to which, where the chain is broken first.

    `unknown` are the sentences about what this check cannot know.
    """

    records: int = 0
    first: int = 0
    last: Head = field(default_factory=Head)
    unknown: list[str] = field(default_factory=list)
    broken: Broken | None = None


def check(
    places: Mapping[str, Iterable[Link]],
    anchors: Anchors | None,
    seen: Callable[[int], None] = lambda _: None,
) -> Checked:
    """Check the records of one tenant, by the names of their places.

    With `anchors`, one of the places is `STREAM`, read to the end that they name. `seen` is told
    now and then how many records were looked at.
    """
    walk = _Walk(anchors=anchors, files=len(places) - (anchors is not None), seen=seen)
    try:
        walk.through(merged(places))
    except Broken as broken:
        walk.checked.broken = broken
    return walk.checked


def merged(places: Mapping[str, Iterable[Link]]) -> Iterator[list[Found]]:
    """Yield what stands in the places, number by number. Raises `Broken` for a wrong order."""
    ordered = [_ascending(name, links) for name, links in places.items()]
    together: list[Found] = []
    try:
        for found in heapq.merge(*ordered, key=_number):
            if together and _number(found) != _number(together[0]):
                yield together
                together = []
            together.append(found)
    except Broken:
        # What stands before the fault may be one, too, and comes first.
        if together:
            yield together
        raise
    if together:
        yield together


def _number(found: Found) -> int:
    return found[1].number


def _ascending(name: str, links: Iterable[Link]) -> Iterator[Found]:
    last = 0
    for link in links:
        if not link.number:
            raise Broken(last + 1, f"in its place in {name} stands what is no record")
        if link.number == last:
            raise Broken(last, f"stands twice in {name}")
        if link.number < last:
            raise Broken(link.number, f"stands after record {last} in {name}: reordered")
        last = link.number
        yield name, link


@dataclass(kw_only=True)
class _Walk:
    """One way through a chain."""

    anchors: Anchors | None
    files: int
    seen: Callable[[int], None]
    checked: Checked = field(default_factory=Checked)
    #: How many records stand in no file, and the first of them.
    filed: int = 0
    unfiled: int = 0

    def through(self, numbers: Iterator[list[Found]]) -> None:
        for found in numbers:
            self._step(found, numbers)
        self._end()
        self._say_unknown()

    def _step(self, found: list[Found], numbers: Iterator[list[Found]]) -> None:
        checked, (_, link) = self.checked, found[0]
        if not checked.records:
            checked.first = link.number
            self._begin(numbers)
        elif link.number > checked.last.number + 1:
            _missing(checked.last.number + 1, link.number - 1, numbers)
        for place, other in found[1:]:
            if (other.text, other.head) != (link.text, link.head):
                raise Broken(link.number, f"differs between {found[0][0]} and {place}")
        for place, each in found:
            self._follow(place, each)
        self._compare({place for place, _ in found}, link)
        checked.records += 1
        checked.last = link.head
        if checked.records % STROKE == 0:
            self.seen(checked.records)

    def _begin(self, numbers: Iterator[list[Found]]) -> None:
        """Hold the oldest record against what may have been trimmed."""
        if self.anchors is None:
            return
        ends = self.anchors.ends
        if ends.first > 1 and ends.head.number - ends.first + 1 < self.anchors.keep:
            why = f" from the stream, though it keeps {self.anchors.keep}"
            _missing(1, ends.first - 1, numbers, why)

    def _follow(self, place: str, link: Link) -> None:
        before = self._before(link)
        if before is None:
            self.checked.unknown.append(
                f"whether record {link.number}, the oldest, is what was written:"
                " the hash before it is gone"
            )
            return
        if link.before not in (None, before):
            raise Broken(link.number, f"names another hash before it in {place}")
        if digest(before, link.text) != link.head.hash:
            raise Broken(link.number, f"its text or its hash was altered in {place}")

    def _before(self, link: Link) -> str | None:
        if self.checked.records:
            return self.checked.last.hash
        if link.number == 1:
            return ""
        known = self.anchors.checkpoints.get(link.number - 1) if self.anchors else None
        return link.before if known is None else known

    def _compare(self, places: set[str], link: Link) -> None:
        """Hold a record against the stream's ends and the checkpoints."""
        number = link.number
        if places == {STREAM} and self.files:
            self.filed += 1
            self.unfiled = self.unfiled or number
        if self.anchors is None:
            return
        ends = self.anchors.ends
        if number > ends.head.number:
            place = min(places)
            raise Broken(number, f"stands in {place}, the chain ends before, says its head")
        if STREAM not in places and number >= (ends.first or 1):
            raise Broken(number, f"stands in {min(places)} and is missing from the stream")
        self._compare_checkpoint(link, self.anchors)

    def _compare_checkpoint(self, link: Link, anchors: Anchors) -> None:
        number = link.number
        if number % CHECKPOINT or number <= anchors.head.number - CHECKPOINT * CHECKPOINTS:
            return
        kept = anchors.checkpoints.get(number)
        if kept is None:
            raise Broken(number, "its checkpoint is missing")
        if kept != link.head.hash:
            raise Broken(number, "its checkpoint has another hash")

    def _end(self) -> None:
        """Hold the newest record against the head and the checkpoints."""
        if self.anchors is None:
            return
        head, last = self.anchors.head, self.checked.last
        beyond = max(self.anchors.checkpoints, default=0)
        if beyond > head.number:
            raise Broken(head.number + 1, f"missing, as there is a checkpoint of record {beyond}")
        if last.number < head.number:
            raise Broken(last.number + 1, f"missing: the head says that {head.number} is the last")
        if last != head:
            raise Broken(last.number, "the head has another hash")

    def _say_unknown(self) -> None:
        say = self.checked.unknown.append
        if self.checked.first > 1:
            say(f"what the {self.checked.first - 1} records said that were trimmed before")
        if self.anchors is None:
            say(f"whether records followed after {self.checked.last.number}: Redis was not asked")
        elif not self.files:
            say(
                "whether somebody who can write to Redis has written the whole chain again, or"
                " removed the newest records with all traces: no file was given"
            )
        elif self.filed:
            say(
                f"whether {self.filed} records that stand in no file, the first of them"
                f" {self.unfiled}, were written again: their worker had no folder or died first"
            )


def _missing(first: int, last: int, numbers: Iterator[list[Found]], why: str = "") -> NoReturn:
    """Raise `Broken` for records that are not where they belong: elsewhere, or nowhere."""
    try:
        for _ in numbers:
            pass
    except Broken as broken:
        if broken.number == first:
            raise
    to = f", and all to {last}" if last > first else ""
    raise Broken(first, f"missing from its place{to}{why}")
