"""JSON lines into messages: one object a line, the keyword arguments of one task.

A line that breaks a rule becomes a problem with its number, and nothing else; memory does not grow
with the number of lines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tasks.errors import Rejected
from tasks.messages import MAX_MESSAGE_BYTES, Message, parse
from tasks.refusals import shown_name

#: The bytes of the longest message and its line end; what is longer is refused unread.
LONGEST_LINE = MAX_MESSAGE_BYTES + len(b"\r\n")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: its number from 1, its length in bytes, and its message or what is wrong."""

    number: int
    length: int
    message: Message | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What lines have to be: messages of `model` for one of `tenants`.

    `tenant` is the one of lines that name none.
    """

    model: type[Message]
    tenants: Collection[str]
    tenant: str | None = None

    def lines(self, stream: BinaryIO) -> Iterator[Line]:
        """Yield every line of `stream` that is not blank."""
        number = 0
        while raw := stream.readline(LONGEST_LINE):
            number += 1
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                length = len(raw) + _skip_line(stream)
                problem = f"message: must be at most {MAX_MESSAGE_BYTES:,} bytes"
                yield Line(number=number, length=length, problem=problem)
            elif raw.strip():
                yield self._line(number, raw)

    def _line(self, number: int, raw: bytes) -> Line:
        try:
            message = self.message(raw)
        except Rejected as error:
            return Line(number=number, length=len(raw), problem=str(error))
        return Line(number=number, length=len(raw), message=message)

    def message(self, raw: bytes) -> Message:
        """Return the message that the JSON object `raw` makes.

        Raises `Rejected` naming the field and the rule.
        """
        arguments = _object(raw)
        if self.tenant is not None:
            arguments.setdefault("tenant", self.tenant)
        message = parse(self.model, arguments)
        if message.tenant not in self.tenants:
            raise Rejected("tenant: is not a tenant of this installation")
        return message


def _skip_line(stream: BinaryIO) -> int:
    """Read on to the line's end and return how many bytes that were."""
    skipped = 0
    while part := stream.readline(LONGEST_LINE):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(
            raw.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct_names,
        )
    except json.JSONDecodeError as error:
        raise Rejected(f"is no JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError:
        raise Rejected("is no JSON: not UTF-8") from None
    except (RecursionError, ValueError):
        raise Rejected("is no JSON: nested too deeply, or a number too long") from None
    if not isinstance(found, dict):
        raise Rejected("must be a JSON object: the keyword arguments of the task")
    return found


def _distinct_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields; of two with one name, JSON does not say which one is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        count = Counter(name for name, _ in pairs)
        raise Rejected(f"{shown_name(max(count, key=lambda name: count[name]))}: is given twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise Rejected(f"is no JSON: {name} is no number of JSON")
