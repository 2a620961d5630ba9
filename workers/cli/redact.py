"""`genesys-workers redact`: what would be removed from a text or a conversation, shown here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tasks.errors import WorkerError
from workers.cli.console import complain, out

if TYPE_CHECKING:
    from tasks.pii.lines import Found, Line
    from tasks.pii.rules import RedactionRules
    from tasks.pii.search import Search

STDIN = "-"

#: Where the messages stand in what the vendor's APIs answer.
LISTS = ("messages", "entities")

HIGHLIGHT = "bold reverse red"


def redact(
    source: Annotated[
        str | None, typer.Argument(metavar="-", help="Read standard input.", show_default=False)
    ] = None,
    text: Annotated[str | None, typer.Option(help="The text itself.")] = None,
    file: Annotated[str | None, typer.Option(help="The file to read; - is standard input.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="By this tenant's rules; without it, by the default ones.")
    ] = None,
    entities: Annotated[
        str | None, typer.Option(help="Only these, such as email,phone: instead of the rules'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: no values in it.")] = False,
) -> None:
    """Show what would be removed from a text or a conversation, to judge rules by.

    Nothing leaves this machine and nothing is changed. JSON is read as a conversation: an array of
    messages, or an interaction with `messages` in it. There, questions tell what bare replies are.

    The exit code is 0 whatever is found, 1 where a detector fails, and 2 for wrong usage.

    **Examples**

    `genesys-workers redact --text "call me at +44 20 7946 0958"`

    `genesys-workers redact --file interaction.json --tenant acme`

    `genesys-workers redact --json - < chat.txt | jq .counts`
    """
    from tasks.pii.transcripts import search_transcript

    search = _search(tenant, entities)
    content = _content(source, text, file)
    conversation = _messages(content)
    messages = [content] if conversation is None else conversation
    try:
        lines = search_transcript(messages, search)
    except WorkerError as error:
        complain(str(error))
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(_report(messages, lines, alone=conversation is None)))
    else:
        _show(messages, lines, alone=conversation is None)


def _search(tenant: str | None, entities: str | None) -> Search:
    """Return what is looked for: by the tenant's rules, or only the entities that are named."""
    search = _rules(tenant).search
    if entities is None:
        return search
    chosen = [name.strip() for name in entities.split(",") if name.strip()]
    known = search.entities or ()
    if not chosen or not set(chosen) <= set(known):
        raise typer.BadParameter(
            f"names others than {', '.join(known)}, or none", param_hint="--entities"
        )
    return replace(search, entities=chosen)


def _rules(tenant: str | None) -> RedactionRules:
    from tasks.pii.rules import RedactionRules
    from workers.settings import Settings
    from workers.tenants import load_tenants

    if tenant is None:
        return RedactionRules()
    tenants = load_tenants(Settings.load())
    if tenant not in tenants:
        raise typer.BadParameter(
            f"unknown; the tenants are {', '.join(tenants)}", param_hint="--tenant"
        )
    return tenants[tenant].redaction


def _content(source: str | None, text: str | None, file: str | None) -> str:
    """Return the one text that was given, read from where it is."""
    if source not in (None, STDIN):
        raise typer.BadParameter(f"{source}: is not - ; a file goes with --file")
    given = [each for each in (source, text, file) if each is not None]
    if len(given) != 1:
        raise typer.BadParameter("give one of --text, --file and -")
    if text is not None:
        return text
    try:
        content = sys.stdin.buffer.read() if given[0] == STDIN else Path(given[0]).read_bytes()
        return content.decode()
    except OSError as error:
        raise typer.BadParameter(f"{given[0]}: {error.strerror}", param_hint="--file") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{given[0]}: is not UTF-8", param_hint="--file") from None


def _messages(content: str) -> list[Any] | None:
    """Return the messages where the content is a conversation in JSON, else None."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict):
        document = next((document[key] for key in LISTS if key in document), None)
    if isinstance(document, list) and any(isinstance(each, dict) for each in document):
        return document
    return None


def _report(messages: Sequence[Any], lines: Iterable[Line], *, alone: bool) -> dict[str, Any]:
    """Return what was found, where, and what is left, as JSON."""
    from tasks.pii.transcripts import outcome

    redacted = outcome(messages, lines)
    return {
        "counts": redacted.findings,
        "findings": [_place(line, found, alone=alone) for line, found in _each(lines)],
        "redacted": redacted.messages[0] if alone else redacted.messages,
    }


def _each(lines: Iterable[Line]) -> Iterator[tuple[Line, Found]]:
    return ((line, found) for line in lines for found in line.found)


def _place(line: Line, found: Found, *, alone: bool) -> dict[str, str | int]:
    """Return the entity and where it is; messages, lines and columns count from 1."""
    before = line.place.text[: found.start]
    where: dict[str, str | int] = {"entity": found.entity}
    if not alone:
        where |= {"message": line.turn + 1, "place": line.place.path}
    column = len(before) - (before.rfind("\n") + 1) + 1
    return where | {"line": before.count("\n") + 1, "column": column}


def _show(messages: Sequence[Any], lines: Sequence[Line], *, alone: bool) -> None:
    """Print the texts with what would be removed highlighted, then where it is, then counts."""
    from tasks.pii.transcripts import outcome

    for line in lines:
        speaker = "" if alone else f"{line.turn + 1} {line.side or '?'} {line.place.path}: "
        out.print(Text(_safe(speaker)) + _highlighted(line), soft_wrap=True)
    found = Table("entity", "where", box=box.SIMPLE_HEAD, pad_edge=False)
    for line, each in _each(lines):
        found.add_row(each.entity, _where(_place(line, each, alone=alone)))
    counts = Table("entity", "found", box=box.SIMPLE_HEAD, pad_edge=False)
    for entity, count in outcome(messages, lines).findings.items():
        counts.add_row(entity, str(count))
    if not found.row_count:
        out.print("Nothing would be removed.")
        return
    out.print(found, counts)


def _where(place: Mapping[str, str | int]) -> str:
    """Return a place as people read it: `message 3, text, 1:14`."""
    message = f"message {place['message']}, {place['place']}, " if "message" in place else ""
    return f"{message}{place['line']}:{place['column']}"


def _highlighted(line: Line) -> Text:
    """Return the line with what was found in colour, or in brackets where there are no colours."""
    shown, end, text = Text(), 0, line.place.text
    for each in line.found:
        shown.append(_safe(text[end : each.start]))
        value = _safe(text[each.start : each.end])
        if out.is_terminal and not out.no_color:
            shown.append(value, HIGHLIGHT)
        else:
            shown.append(f"[{each.entity}: {value}]")
        end = each.end
    return shown.append(_safe(text[end:]))


def _safe(text: str) -> str:
    """Return `text` in its lines, without what a terminal would obey."""
    return "\n".join(each if each.isprintable() else ascii(each)[1:-1] for each in text.split("\n"))
