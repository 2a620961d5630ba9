"""Values that were typed over several messages: `123 45`, and `6789` in the next one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tasks.pii.lines import Found, Line, Look
from tasks.pii.values import joined

#: Messages of one side that are read as one, and how many turns may lie between two of them.
LONGEST = 4
GAP = 3

#: Digits from which on a value is whole, so that what follows is no part of it; others always are.
WHOLE = {"phone": 10, "ssn": 9, "credit_card": 15}

#: What people type where a value goes on in the next message.
_LOOSE = " \t\r\n.,-/…"

#: A country or a bank in an IBAN: capitals.
_CODE = re.compile(r"[A-Z]{2,}")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A line in a joined text: its text from `skipped` on stands there from `base` up to `end`."""

    line: Line
    base: int
    end: int
    skipped: int

    def part(self, found: Found) -> Found | None:
        """Return what of a finding in the joined text lies here, in offsets of the line."""
        start, end = max(found.start, self.base), min(found.end, self.end)
        shift = self.skipped - self.base
        if start >= end:
            return None
        return replace(found, start=start + shift, end=end + shift, counts=found.start >= self.base)


def find_split(lines: Iterable[Line], look: Look) -> None:
    """Add to the new findings of the lines those that only several of them together hold."""
    chains: dict[tuple[str | None, str], list[Line]] = {}
    for line in lines:
        if line.place.said and line.text.strip(_LOOSE).strip():
            place = (line.side, line.place.kind)
            chain = chains.get(place, [])[1 - LONGEST :]
            chains[place] = [*chain, line] if _goes_on(chain, line) else [line]
            _find_at_end(chains[place], look)


def _goes_on(chain: Sequence[Line], line: Line) -> bool:
    """Return whether `line` may hold more of what the last line of the chain ends with."""
    if not chain or line.turn - chain[-1].turn > GAP or _is_whole(chain[-1]):
        return False
    topics = {each.asked for each in (*chain, line)} - {None}
    return len(topics) < 2 and _joint(chain[-1].text, line.text) is not None


def _is_whole(line: Line) -> bool:
    """Return whether the line ends with a value that is complete."""
    if not line.new or line.text[line.new[-1].end :].strip(_LOOSE):
        return False
    last = line.new[-1]
    return len(joined(last.value)) >= WHOLE.get(last.entity, 0)


def _joint(before: str, after: str) -> str | None:
    """Return what to put between two texts to read them as one, None where they are two."""
    last, first = before.split()[-1], after.split()[0]
    if "@" in last + first and (last[-1] in "@." or first[0] in "@."):
        return ""
    last, first = last.rstrip(_LOOSE), first.lstrip(_LOOSE + "(")
    numbers = last[-1:].isdigit(), first[:1].isdigit()
    codes = _CODE.fullmatch(last), _CODE.match(first)
    fits = all(number or code for number, code in zip(numbers, codes, strict=True))
    return " " if fits and any(numbers) else None


def _find_at_end(chain: Sequence[Line], look: Look) -> None:
    """Find the value that ends in the last line, in the longest stretch of lines that holds one."""
    for first in range(len(chain) - 1):
        text, pieces = _read_as_one(chain[first:])
        asked = next((each.asked for each in chain[first:] if each.asked), None)
        found = [_parts(pieces, each) for each in look(text, asked)]
        split = [parts for parts in found if len(parts) > 1 and parts[-1][0] is pieces[-1]]
        for piece, part in (each for parts in split for each in parts):
            piece.line.put(part)
        if split:
            return


def _read_as_one(lines: Sequence[Line]) -> tuple[str, list[Piece]]:
    """Return the texts of the lines as one, and where each of them stands in it."""
    joints = ["", *(_joint(one.text, other.text) or "" for one, other in pairwise(lines)), ""]
    text, pieces = "", []
    for line, before, after in zip(lines, joints, joints[1:], strict=False):
        begun = line.text.lstrip(_LOOSE) if before else line.text
        own = begun.rstrip(_LOOSE) if after else begun
        base = len(text) + len(before)
        text += before + own
        pieces.append(
            Piece(line=line, base=base, end=len(text), skipped=len(line.text) - len(begun))
        )
    return text, pieces


def _parts(pieces: Iterable[Piece], found: Found) -> list[tuple[Piece, Found]]:
    return [(piece, part) for piece in pieces if (part := piece.part(found))]
