"""`genesys-workers bridge test-rules`: what a file of rules would make of events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.messages import DEFAULT_TENANT, Message
from workers.cli.console import complain, out
from workers.limits.rates import tenant_queue

if TYPE_CHECKING:
    from workers.bridge.judging.trial import Verdict

#: Columns that a table may have where nobody looks on: nothing in it is broken then.
WIDE = 1_000


def test_rules(
    event: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Events: a JSON object a line, or one; - is standard input."
        ),
    ],
    rules: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The rules; the shipped ones if left out."),
    ] = None,  # noqa: PT028  # a command, and no test
    tenant: Annotated[str, typer.Option(help="Whose events they are.")] = DEFAULT_TENANT,  # noqa: PT028
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,  # noqa: PT028
) -> None:
    """Show what rules would make of events: each message, or why there would be none.

    Nothing is sent, and no broker is asked, so that it is not told whether an occurrence was known
    already. A message that would be dropped because its event is too old by now is shown all the
    same. The exit code is 1 where an event cannot be read, and 2 where a rule is wrong.

    **Examples**

    `genesys-workers bridge test-rules rules.toml --event event.json`

    `genesys-workers bridge test-rules --event events.jsonl --json | jq .operation_id`
    """
    from workers.bridge.judging.rules import default_rules, load
    from workers.bridge.judging.trial import verdicts

    chosen = load(rules) if rules else default_rules()
    found = [*verdicts(_content(event), chosen, tenant, datetime.now(UTC))]
    for verdict in found:
        if verdict.is_unreadable:
            complain(f"line {verdict.line}: {verdict.reason}")
    _show([verdict for verdict in found if not verdict.is_unreadable], as_json=as_json)
    raise typer.Exit(any(verdict.is_unreadable for verdict in found))


def _content(source: str) -> bytes:
    from workers.bridge.replay import PART, opened

    with opened(source) as read:
        return b"".join(iter(lambda: read(PART), b""))


def _show(found: list[Verdict], *, as_json: bool) -> None:
    if as_json:
        for verdict in found:
            print(json.dumps(_facts(verdict)))
    elif found:
        (out if out.is_terminal else Console(width=WIDE)).print(_table(found))


def _facts(verdict: Verdict) -> Mapping[str, Any]:
    facts = {"line": verdict.line, "topic": verdict.topic, "rule": verdict.rule or None}
    if message := verdict.message:
        facts |= {
            "task": message.task,
            "queue": tenant_queue(message.queue, message.tenant),
            "arguments": _arguments(message),
            "operation_id": message.operation_id,
        }
    return {**facts, "enqueued": not verdict.reason, "reason": verdict.reason or None}


def _arguments(message: Message) -> Mapping[str, Any]:
    """Return what a message says beyond what every message does."""
    shared = Message.model_fields
    return {name: value for name, value in message.arguments().items() if name not in shared}


def _table(found: list[Verdict]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("line", "event", "rule", "enqueued"):
        table.add_column(heading, overflow="fold")
    for verdict in found:
        said = (verdict.topic, verdict.rule, "\n".join(_message(verdict)))
        table.add_row(str(verdict.line), *map(Text, said))
    return table


def _message(verdict: Verdict) -> Iterator[str]:
    """Yield the lines of what would be enqueued, JSON in the place of what a terminal obeys."""
    if verdict.reason:
        yield f"nothing: {verdict.reason}{'; it would be' if verdict.message else ''}"
    if message := verdict.message:
        yield f"{message.task} on {tenant_queue(message.queue, message.tenant)}"
        yield from (f"{name} = {json.dumps(told)}" for name, told in _arguments(message).items())
        yield f"operation_id = {message.operation_id}"
