"""`genesys-workers audit`: the record of what was done."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.progress import Progress, TaskID

from workers.cli.console import err

if TYPE_CHECKING:
    from workers.app import Services
    from workers.auditing.audit import Audit, Ends
    from workers.auditing.audit_check import Anchors, Checked
    from workers.auditing.audit_file import AuditFile
    from workers.consuming.chain import Link

#: Seconds that `tail --follow` waits for a record before it asks again.
PAUSE = 1.0

#: Records between two strokes of the progress bar.
STROKE = 1_000

app = typer.Typer(help="Look at the record of what was done, keep it, and check it.")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]


@app.command()
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 20,
    tenant: Tenant = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is recorded, until Ctrl-C.")
    ] = False,
) -> None:
    """Print the newest audit records of each tenant as JSON lines, oldest first.

    **Examples**

    `genesys-workers audit tail`

    `genesys-workers audit tail -n 100 --tenant acme | jq .status`

    `genesys-workers audit tail --follow`
    """
    found = _services()
    last_ids = {}
    for name in _asked(found, tenant):
        newest = found.audit.newest(name, lines)
        for record in newest:
            print(json.dumps(record))
        last_ids[name] = newest[-1]["id"] if newest else "0"
    while follow:
        sys.stdout.flush()
        for name, record in found.audit.following(last_ids, PAUSE):
            print(json.dumps(record))
            last_ids[name] = record["id"]


@app.command()
def export(
    tenant: Tenant = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only what was recorded then or later, in UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Only what was recorded before then, in UTC.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file to be made, instead of standard output.")
    ] = None,
) -> None:
    """Write audit records as JSON lines that `verify` can check without Redis.

    A line holds the tenant, the record's number, the hash before, its own hash, and the record as
    it was hashed: text.

    **Examples**

    `genesys-workers audit export --file audit.jsonl`

    `genesys-workers audit export --tenant acme --since 2026-05-01 > since-may.jsonl`
    """
    found = _services()
    first = "-" if since is None else f"{_milliseconds(since)}-0"
    last = "+" if until is None else f"({_milliseconds(until)}-0"
    tenants = _asked(found, tenant)
    with _made(file) as written, _progress("records", None) as (bar, task):
        for name in tenants:
            for line in _exported(found.audit, name, first, last):
                written.write(line)
                bar.advance(task)


def _exported(audit: Audit, tenant: str, first: str, last: str) -> Iterator[bytes]:
    from dataclasses import replace

    from workers.auditing.audit_file import line

    before = audit.hash_before(tenant, first) if first != "-" else None
    for record in audit.links(tenant, first=first, last=last):
        known = "" if record.number == 1 else before
        yield line(tenant, replace(record, before=known))
        before = record.head.hash


@app.command()
def verify(
    tenant: Tenant = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="An export, or a file of AUDIT_DIR; repeatable.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="A whole AUDIT_DIR, of one or more machines.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the files only, without Redis.")
    ] = False,
) -> None:
    """Check that no audit record was altered, lost or reordered since it was written.

    Every record is checked against the one before, the head and the checkpoints in Redis, and the
    files that are given. Names the first record of a tenant that is not what was written, and what
    cannot be known. The exit code is 0 for intact chains, 1 for a broken one.

    **Examples**

    `genesys-workers audit verify --dir /var/lib/genesys-workers/audit`

    `genesys-workers audit verify --offline --file audit.jsonl`
    """
    # Found before Redis is asked: what stands in them by then was in Redis first.
    files = _files(file or [], folder)
    if offline and not files:
        raise typer.BadParameter("there is no file to check", param_hint="--offline")
    found = None if offline else _services()
    named = {each for one in files for each in one.tenants()}
    tenants = _asked(found, tenant) if found else sorted(named) if tenant is None else [tenant]
    intact = True
    for name in tenants:
        intact = _verified(name, found, files) and intact
    for stranger in sorted(named - set(tenants)) if found and tenant is None else ():
        intact = False
        print(f"{stranger}: stands in files and is no tenant of this installation")
    raise typer.Exit(0 if intact else 1)


def _verified(tenant: str, found: Services | None, files: Iterable[AuditFile]) -> bool:
    """Check one tenant and say what was found."""
    from workers.auditing.audit_check import STREAM, check
    from workers.consuming.chain import Broken

    places: dict[str, Iterable[Link]] = {}
    try:
        anchors = _anchors(found, tenant) if found else None
    except Broken as broken:
        print(f"{tenant}: broken: {broken.why}")
        return False
    if found and anchors:
        places[STREAM] = found.audit.links(tenant, last=anchors.ends.last_id)
    places |= {str(one.path): one.links(tenant) for one in files}
    with _progress(tenant, anchors.ends if anchors else None) as (bar, task):
        checked = check(places, anchors, lambda count: bar.update(task, completed=count))
    for line in _said(tenant, checked):
        print(line)
    return checked.broken is None


def _anchors(found: Services, tenant: str) -> Anchors:
    from workers.auditing.audit_check import Anchors

    return Anchors(ends=found.audit.ends(tenant), keep=found.audit.keep)


def _said(tenant: str, checked: Checked) -> Iterator[str]:
    many = f"{checked.records} records"
    span = f", {checked.first} to {checked.last.number}" if checked.records else ""
    if checked.broken:
        yield f"{tenant}: broken: {checked.broken} (after {many} that are intact)"
    else:
        yield f"{tenant}: intact: {many}{span}"
    for unknown in checked.unknown:
        yield f"{tenant}: not known: {unknown}"


def _services() -> Services:
    from workers.cli.services import services

    return services()


def _asked(found: Services, tenant: str | None) -> list[str]:
    """Return the tenants that are asked for: the named one, or all."""
    if tenant is None:
        return list(found.tenants)
    if tenant not in found.tenants:
        known = ", ".join(found.tenants)
        raise typer.BadParameter(f"unknown; the tenants are {known}", param_hint="--tenant")
    return [tenant]


def _files(named: Iterable[Path], folder: Path | None) -> list[AuditFile]:
    from workers.auditing.audit_file import SUFFIX, AuditFile

    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"{folder}: no such folder", param_hint="--dir")
    inside = sorted(folder.rglob(f"*{SUFFIX}")) if folder else []
    found = []
    for path in dict.fromkeys((*named, *inside)):
        try:
            found.append(AuditFile.find(path))
        except OSError as error:
            raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--file") from None
    return found


@contextmanager
def _made(file: Path | None) -> Iterator[BinaryIO]:
    """Open a file that is not there yet, for its owner only; without a path, standard output."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--file") from None
    with file.open("wb") as written:
        yield written


@contextmanager
def _progress(what: str, ends: Ends | None) -> Iterator[tuple[Progress, TaskID]]:
    total = ends.head.number - ends.first + 1 if ends else None
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        yield bar, bar.add_task(what, total=total)


def _milliseconds(moment: datetime) -> int:
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
