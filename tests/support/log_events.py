"""The log events of this project: those that its source tells, and those that its list has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "workers" / "deploy" / "log-events.md"

LEVELS = ("debug", "info", "warning", "error", "exception", "critical")

#: What tells events: our logger, what tells seldom, and what adds fields of its own.
LOGGERS = ("log", "seldom")
TELLERS = ("_tell",)

_ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)

#: On every line.
COMMON = frozenset({"event", "level", "timestamp"})

#: On every line that is told while a message is carried out.
OF_A_MESSAGE = frozenset({"task", "tenant", "message_id", "operation_id", "correlation_id"})


@dataclass(frozen=True, kw_only=True)
class Told:
    """A place in the source that tells an event; `event` is "" where the name is none of its own.

    `fields` are those that it names, `inside` is the function that it stands in.
    """

    event: str
    level: str
    fields: frozenset[str]
    place: str
    inside: str


def told() -> list[Told]:
    """Return every place in the source that tells an event."""
    paths = sorted(
        path for folder in ("workers", "tasks") for path in (ROOT / folder).rglob("*.py")
    )
    return [each for path in paths for each in _of_file(path)]


def _of_file(path: Path) -> Iterator[Told]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (level := _level(node.func)):
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            around = [each for each in functions if each.lineno <= node.lineno <= _end(each)]
            yield Told(
                event=_text(node),
                level=level,
                fields=frozenset(each.arg for each in node.keywords if each.arg),
                place=place,
                inside=max(around, key=lambda each: each.lineno).name if around else "",
            )


def _level(called: ast.expr) -> str:
    """Return the level of a call that tells an event, "" for every other call."""
    if not isinstance(called, ast.Attribute):
        return ""
    if called.attr in TELLERS:
        return "info"
    owner = called.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return called.attr if called.attr in LEVELS and name.strip("_") in LOGGERS else ""


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _text(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return str(first.value) if is_text and isinstance(first, ast.Constant) else ""


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A row of the list: an event, its levels and its fields."""

    event: str
    levels: frozenset[str]
    fields: frozenset[str]


def documented() -> dict[str, Documented]:
    """Return the rows of the list, by event."""
    rows = _ROW.findall(DOCUMENT.read_text("utf-8"))
    found = [
        Documented(
            event=event,
            levels=frozenset(levels.split(", ")),
            fields=frozenset(re.findall(r"`(\w+)`", fields)),
        )
        for event, levels, _, fields in rows
    ]
    assert len({each.event for each in found}) == len(found), "an event is listed twice"
    return {each.event: each for each in found}
