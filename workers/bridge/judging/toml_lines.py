"""On which line of a TOML document something is said: Python's parser does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

#: Where something is in a document: names of fields, and numbers of repeated tables, from 0.
Place = tuple[str | int, ...]


class Lines:
    """The lines of a document that has been parsed as a whole already."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        table: Place = ()
        repetitions: dict[tuple[str, ...], int] = {}
        for number, statement in _statements(text):
            said = tomllib.loads(statement)
            if statement.startswith("["):
                table = _opened(said, repetitions)
                self._lines.setdefault(table, number)
            else:
                for place in _places(said, table):
                    self._lines.setdefault(place, number)

    def of(self, place: Place) -> int:
        """Return the line on which `place` begins, else that of the innermost place around it."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._lines:
                return self._lines[place[:length]]
        return 1


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each header and each assignment with the line on which it begins.

    None can be parsed before it is whole, so that it ends where it can be for the first time.
    """
    begun: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        begun.append(line)
        try:
            is_blank = not tomllib.loads("\n".join(begun))
        except tomllib.TOMLDecodeError:
            continue
        if not is_blank:
            yield number - len(begun) + 1, "\n".join(begun).strip()
        begun = []


def _opened(header: Any, repetitions: dict[tuple[str, ...], int]) -> Place:
    """Return the place of the table that a header opens, of a repeated one the next."""
    names: tuple[str, ...] = ()
    is_repeated = False
    while header:
        ((name, inner),) = header.items()
        names, is_repeated = (*names, name), isinstance(inner, list)
        header = inner[0] if is_repeated else inner
    if is_repeated:
        repetitions[names] = repetitions.get(names, -1) + 1
    place: Place = ()
    for length, name in enumerate(names, start=1):
        number = repetitions.get(names[:length])
        place = (*place, name) if number is None else (*place, name, number)
    return place


def _places(said: Any, around: Place) -> Iterator[Place]:
    held = enumerate(said) if isinstance(said, list) else said.items()
    for key, inner in held:
        yield (*around, key)
        if isinstance(inner, list | dict):
            yield from _places(inner, (*around, key))
