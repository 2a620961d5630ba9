"""Dead letters as people read them. What strangers may have named is shown without its controls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from workers.cli.console import printable
from workers.cli.moments import local_time

if TYPE_CHECKING:
    from workers.letters.dead_letters import DeadLetter
    from workers.letters.replay import Plan

#: Bytes that are shown on a terminal of what nobody can read.
FEW = 2_000


def letters_table(letters: Iterable[DeadLetter]) -> Table:
    """Return the letters as a table."""
    shown = _table("when", "id", "task", "tenant", "status", "attempts", "reason")
    for each in letters:
        facts = (each.id, each.task, each.tenant, each.status, str(each.attempts), each.reason)
        shown.add_row(local_time(each.at), *map(_cell, facts))
    return shown


def plans_table(plans: Iterable[Plan]) -> Table:
    """Return what would become of letters as a table."""
    shown = _table("id", "task", "operation", "goes to", "refused, because")
    for plan in plans:
        facts = (plan.letter.id, plan.letter.task, plan.operation_id, plan.queue, plan.refusal)
        shown.add_row(*map(_cell, facts))
    return shown


def facts_table(facts: Mapping[str, Any]) -> Table:
    """Return everything about one letter as a table of two columns."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="bold")
    shown.add_column(overflow="fold")
    for name, value in facts.items():
        shown.add_row(name, _cell(_said(name, value)))
    return shown


def some_bytes(content: bytes) -> str:
    """Return the beginning of bytes that nobody can read, as a Python literal."""
    more = f" and {len(content) - FEW:,} bytes more" if len(content) > FEW else ""
    return f"{content[:FEW]!r}{more}"


def _said(name: str, value: Any) -> str:
    if name == "at":
        return local_time(value)
    if name == "size":
        return f"{value:,} bytes"
    if isinstance(value, Mapping):
        return json.dumps(value)
    return str(value)


def _cell(text: str) -> Text:
    return Text(printable(text))


def _table(*headings: str) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    return shown
