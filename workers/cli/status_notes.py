"""What `genesys-workers status` says in words: alarms, pauses, gaps, totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from workers.cli.console import printable
from workers.cli.fitting import QUIET, Part
from workers.cli.listing import Listing, Row
from workers.cli.moments import local_time, span
from workers.watching.strays import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workers.bridge.state.gaps import Gap
    from workers.limits.overrides import TenantPause
    from workers.watching.status import Status


def notes(seen: Status) -> Iterator[Part]:
    """Yield what is told besides the tables, what matters most first."""
    if not any(worker.alive for worker in seen.workers):
        yield note("no worker is alive", "red")
    if not seen.complete:
        yield note(f"Redis has more than {MOST:,} keys: mistyped queues may be missing", "yellow")
    if seen.pauses:
        yield _lines("paused tenants", _pauses(seen.pauses), "yellow")
    if seen.gaps:
        yield _lines("tenants with gaps", _gaps(seen.gaps), "yellow")
    yield note("   ".join(_totals(seen)), "yellow" if seen.dead_letters else "")
    if seen.findings:
        yield _lines("tenants with redactions", _findings(seen.findings), QUIET)


def _totals(seen: Status) -> Iterator[str]:
    yield f"held by workers: {seen.held}"
    yield f"dead letters: {seen.dead_letters}"
    waits = [(queue.head_waits or 0, queue.name) for queue in (*seen.queues, *seen.strays)]
    longest, name = max(waits, default=(0, ""))
    if longest:
        yield f"longest wait: {span(longest)} in {name}"


def note(text: str, style: str) -> Part:
    """Return a line of its own."""
    return _lines("notes", [text], style)


def _pauses(pauses: Mapping[str, TenantPause]) -> Iterator[str]:
    for tenant, pause in pauses.items():
        yield f"{tenant} is paused by {pause.by} since {local_time(pause.at)}"


def _gaps(gaps: Mapping[str, Sequence[Gap]]) -> Iterator[str]:
    for tenant, found in gaps.items():
        count = "1 gap" if len(found) == 1 else f"{len(found)} gaps"
        since = local_time(min(gap.start for gap in found))
        yield f"{tenant}: {count} since {since}, still to be backfilled"


def _findings(findings: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for tenant, found in findings.items():
        kinds = ", ".join(f"{count} {entity}" for entity, count in found.items())
        yield f"redacted for {tenant}: {kinds}"


def _lines(nouns: str, lines: Iterable[str], style: str) -> Part:
    rows = [Row(cells=(printable(line),), style=style) for line in lines]
    return Part(listing=Listing(rows=rows), nouns=nouns)
