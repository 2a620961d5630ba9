"""Patterns of topics: which topics they stand for, and which of many patterns a topic fits.

A pattern is a topic with `{name}` in the place of each id: there is no wildcard, as there is none
in what may be subscribed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

LONGEST = 250

_PART = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")

T = TypeVar("T")

#: Ids by the names that the pattern gives them.
Ids = Mapping[str, str]


def check(pattern: str) -> str:
    """Return `pattern`, or raise `ValueError` where no topic of events is like it."""
    version, *parts = pattern.split(".")
    if version != "v2" or len(parts) < 2 or len(pattern) > LONGEST:
        raise ValueError("must be a topic such as v2.externalcontacts.contacts.{id}")
    if parts[0] == "system" or not _PART.fullmatch(parts[0]):
        raise ValueError("must be a topic of events: not v2.system, nor an id behind v2")
    if "*" in pattern:
        raise ValueError("must have {id} in the place of an id: there are no wildcards")
    if not all(_PART.fullmatch(part) or _PLACEHOLDER.fullmatch(part) for part in parts):
        raise ValueError("must consist of names and {id}, with dots between them")
    return pattern


def template(pattern: str) -> str:
    """Return `pattern` with `{id}` for each id, whatever the pattern calls it."""
    return _PLACEHOLDER.sub("{id}", pattern)


class Patterns(Generic[T]):
    """What belongs to patterns, found by a topic that fits; a topic that fits none costs little."""

    def __init__(self, held: Iterable[tuple[str, T]]) -> None:
        by_shape: dict[tuple[int, tuple[int, ...]], _Shape[T]] = {}
        for pattern, item in held:
            parts = pattern.split(".")
            fixed = tuple(n for n, part in enumerate(parts) if not _PLACEHOLDER.fullmatch(part))
            by_shape.setdefault((len(parts), fixed), _Shape(fixed)).add(parts, item)
        self._shapes: dict[int, list[_Shape[T]]] = {}
        for (length, _), shape in by_shape.items():
            self._shapes.setdefault(length, []).append(shape)

    def of(self, topic: str) -> Iterator[tuple[T, Ids]]:
        """Yield what belongs to the patterns that `topic` fits, each with the topic's ids.

        An id for which the topic itself says `{id}`, as EventBridge's templates do, is left out.
        """
        parts = topic.split(".")
        for shape in self._shapes.get(len(parts), ()):
            yield from shape.of(parts)


class _Shape(Generic[T]):
    """Patterns of one length with their ids in the same places."""

    def __init__(self, fixed: tuple[int, ...]) -> None:
        self._key: Callable[[Sequence[str]], object] = itemgetter(*fixed)
        self._items: dict[object, list[tuple[T, tuple[tuple[str, int], ...]]]] = {}

    def add(self, parts: list[str], item: T) -> None:
        found = ((_PLACEHOLDER.fullmatch(part), place) for place, part in enumerate(parts))
        names = tuple((each[1], place) for each, place in found if each)
        self._items.setdefault(self._key(parts), []).append((item, names))

    def of(self, parts: list[str]) -> Iterator[tuple[T, Ids]]:
        for item, names in self._items.get(self._key(parts), ()):
            ids = {name: parts[place] for name, place in names}
            yield item, {name: id_ for name, id_ in ids.items() if not id_.startswith("{")}
