"""JSON lines into messages: one object a line, the keyword arguments of one task.

A line that breaks a rule becomes a problem with its number, and nothing else; memory does not grow
with the number of lines.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tasks.errors import Rejected
from tasks.messages import Message, parse

#: A longer line is refused unread: no message may be that large.
LONGEST_LINE = 1_048_576


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
            length = len(raw)
            if length == LONGEST_LINE and not raw.endswith(b"\n"):
                length += _skip_line(stream)
                problem = f"must be at most {LONGEST_LINE:,} bytes long"
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
        found = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Rejected(f"is no JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError:
        raise Rejected("is no JSON: not UTF-8") from None
    except (RecursionError, ValueError):
        raise Rejected("is no JSON: nested too deeply, or a number too long") from None
    if not isinstance(found, dict):
        raise Rejected("must be a JSON object: the keyword arguments of the task")
    return found


def _refuse_constant(name: str) -> Any:
    raise Rejected(f"is no JSON: {name} is no number of JSON")
