"""What `genesys-workers status` shows, in tables as narrow as what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from workers.bridge.watching.reports import GONE
from workers.cli.console import printable
from workers.cli.fitting import QUIET, Part, fitted
from workers.cli.listing import Listing, Row
from workers.cli.moments import span
from workers.cli.status_notes import note, notes
from workers.limits.rates import format_achieved, format_rate, split_queue

if TYPE_CHECKING:
    from workers.bridge.watching.reports import BridgeReport
    from workers.limits.overrides import RateSet
    from workers.watching.roster import WorkerStatus
    from workers.watching.status import QueueStatus, Status, SystemStatus

#: Rows of a table above which those are left out where nothing happens.
MANY = 20

#: Queues of a worker that are named.
FEW = 7

#: Rows of queues on a low screen for each row of another table.
QUEUES_AT_A_TIME = 3

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class View:
    """What is to be seen of a status: notes, of which the first matters most, and tables.

    `left_out` says which rows the tables do without, if any.
    """

    notes: Sequence[Part]
    tables: Sequence[Part]
    left_out: Sequence[Part]

    @property
    def rows(self) -> int:
        """The rows of all parts: it is never lower than so many lines."""
        return sum(len(part.listing.rows) for part in (*self.notes, *self.tables))

    def printed(self) -> RenderableType:
        """Return it as it is read from its end, where the next prompt is."""
        parts = (*self.tables, *reversed(self.notes), *self.left_out)
        return Group(*(part.listing for part in parts))

    def watched(self, head: Text) -> RenderableType:
        """Return it as it stands on a screen with room for all of it."""
        parts = (*self.notes, *self.left_out, *self.tables)
        return Group(head, *(part.listing.screened() for part in parts))

    def fitted(self, head: Text, height: int) -> RenderableType:
        """Return it as it stands on a screen of so many lines: of each part the worst rows."""
        return Group(head, *fitted([*self.notes, *self.tables], height - 1))


def view(seen: Status, *, many: int | None = MANY) -> View:
    """Return what is seen of a status.

    In tables with more than so `many` rows, those are left out where nothing happens; in none
    where it is None.
    """
    queues = _shown([*seen.queues, *seen.strays], many, _is_busy)
    systems = _shown(seen.systems, many, lambda each: bool(each.spent or each.pause_left))
    left_out = (
        (len(seen.queues) + len(seen.strays) - len(queues), "idle queues"),
        (len(seen.systems) - len(systems), "systems without a call"),
    )
    tables = (
        Part(listing=_queues(seen, queues), nouns="queues", share=QUEUES_AT_A_TIME),
        Part(listing=_systems(systems), nouns="systems"),
        Part(listing=_workers(seen), nouns="workers"),
        Part(listing=_bridges(seen), nouns="bridges"),
    )
    return View(
        notes=list(notes(seen)),
        tables=[table for table in tables if table.listing.rows],
        left_out=list(_left_out(left_out)),
    )


def _shown(rows: Sequence[T], many: int | None, is_busy: Callable[[T], bool]) -> list[T]:
    if many is None or len(rows) <= many:
        return list(rows)
    return [each for each in rows if is_busy(each)]


def _is_busy(queue: QueueStatus) -> bool:
    return bool(not queue.idle or queue.achieved or queue.rate_set)


def _queues(seen: Status, queues: Iterable[QueueStatus]) -> Listing:
    return Listing(
        headings="queue,waiting>,delayed>-,leased>-,oldest>,started>-,of-,set by~?,workers~",
        rows=[_of_queue(each, _queue(seen, each)) for each in queues],
    )


def _of_queue(queue: QueueStatus, cells: tuple[str, ...]) -> Row:
    """Return its row; the longer its first message has been waiting, the worse."""
    if queue.trouble:
        return Row(cells=cells, style="red", state="unread", weight=queue.head_waits or 0)
    if queue.head_waits is not None:
        return Row(cells=cells, state="waiting", weight=1 + queue.head_waits)
    if not _is_busy(queue):
        return Row(cells=cells, style=QUIET, state="idle")
    if queue.leased or queue.achieved:
        return Row(cells=cells, state="at work")
    return Row(cells=cells, state="delayed" if queue.delayed else "with a rate set")


def _queue(seen: Status, queue: QueueStatus) -> tuple[str, ...]:
    paused = split_queue(queue.name)[1] in seen.pauses
    rate = format_rate(queue.rate) if queue.rate else ""
    return (
        printable(queue.name),
        str(queue.waiting),
        _count(queue.delayed),
        _count(queue.leased),
        "" if queue.head_waits is None else span(queue.head_waits),
        format_achieved(queue.achieved, queue.rate) if queue.achieved else "",
        "paused" if rate and paused else rate,
        printable(_mark(seen, queue.rate_set)) if queue.rate_set else "",
        printable(queue.trouble or "") or _count(len(queue.readers)),
    )


def _mark(seen: Status, rate_set: RateSet) -> str:
    return f"{rate_set.by}, {span(seen.at - rate_set.at)} ago"


def _systems(systems: Iterable[SystemStatus]) -> Listing:
    return Listing(
        headings="tenant,system,calls>,of>-,reserved>?,window ends in>-,paused for>",
        rows=[_of_system(each, _system(each)) for each in systems],
    )


def _of_system(system: SystemStatus, cells: tuple[str, ...]) -> Row:
    """Return its row; the longer the pause, or the more of the budget is spent, the worse."""
    if system.pause_left is not None:
        return Row(cells=cells, style="red", state="paused", weight=system.pause_left)
    if system.spent:
        return Row(cells=cells, state="in use", weight=system.spent / system.limit)
    return Row(cells=cells, style=QUIET, state="without a call")


def _system(system: SystemStatus) -> tuple[str, ...]:
    return (
        system.tenant,
        system.system,
        str(system.spent - system.reserved),
        f"{system.limit}/m",
        _count(system.reserved),
        "" if system.window_left is None else span(system.window_left),
        "" if system.pause_left is None else span(system.pause_left),
    )


def _workers(seen: Status) -> Listing:
    known = [queue.name for queue in seen.queues]
    return Listing(
        headings="worker,holds>,slots>,queues~-,last heard of",
        rows=[_of_worker(each, _worker(each, known)) for each in seen.workers],
    )


def _of_worker(worker: WorkerStatus, cells: tuple[str, ...]) -> Row:
    """Return its row; the more it holds, the worse."""
    if not worker.alive:
        return Row(cells=cells, style="red", state="silent", weight=worker.held)
    if worker.held:
        return Row(cells=cells, state="at work", weight=worker.held)
    return Row(cells=cells, style=QUIET, state="idle")


def _worker(worker: WorkerStatus, known: Sequence[str]) -> tuple[str, ...]:
    return (
        printable(worker.name),
        str(worker.held),
        str(worker.slots),
        few(reads(worker.queues, known)),
        "" if worker.alive else f"{span(worker.silent)} ago",
    )


def reads(queues: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """Return the queues in few words: `merge.*` for those of all tenants, `all` for all of them."""
    if set(known) <= set(queues):
        return ["all"]
    words: dict[str, None] = {}
    for queue in queues:
        kind = split_queue(queue)[0]
        of_kind = {each for each in known if split_queue(each)[0] == kind}
        whole = len(of_kind) > 1 and of_kind <= set(queues)
        words[f"{kind}.*" if whole else queue] = None
    return list(words)


def few(words: Sequence[str]) -> str:
    """Return the words, as far as they fit into a line."""
    first = ", ".join(words[:FEW])
    return f"{first}, {len(words) - FEW} more" if len(words) > FEW else first


def _bridges(seen: Status) -> Listing:
    headings = "tenant,bridge~-,role,hears>,topics>-,events>-,lag>-,last>?,sent>?,again>?,gaps>"
    rows = [_of_bridge(seen, each, _bridge(seen, each)) for each in seen.bridges]
    return Listing(headings=headings, rows=rows)


def _bridge(seen: Status, bridge: BridgeReport) -> tuple[str, ...]:
    gone = seen.at - bridge.at
    since = bridge.connected_since
    heard = bridge.topics - bridge.rejected
    return (
        printable(bridge.tenant),
        printable(bridge.bridge),
        f"gone {span(gone)}" if gone > GONE else bridge.role,
        ("nothing" if _is_deaf(bridge) else "") if since is None else _ago(seen, since),
        f"{heard}/{bridge.topics}" if bridge.rejected else _count(bridge.topics),
        f"{bridge.rate:.3g}/s" if bridge.rate else "",
        lag(*bridge.lag) if bridge.lag else "",
        "" if bridge.last_event is None else _ago(seen, bridge.last_event),
        _count(bridge.counts.get("enqueued", 0)),
        _count(bridge.counts.get("duplicates", 0)),
        _count(len(seen.gaps.get(bridge.tenant, ()))) if bridge.leads else "",
    )


def _of_bridge(seen: Status, bridge: BridgeReport, cells: tuple[str, ...]) -> Row:
    """Return its row, red where it is gone, or leads and does not hear everything."""
    if seen.at - bridge.at > GONE:
        return Row(cells=cells, style="red", state="gone")
    if _is_deaf(bridge):
        return Row(cells=cells, style="red", state="hearing nothing")
    if bridge.leads and bridge.rejected:
        return Row(cells=cells, style="red", state="not hearing all")
    if bridge.leads or bridge.rate:
        return Row(cells=cells, state="at work", weight=bridge.lag[1] if bridge.lag else 0)
    return Row(cells=cells, style=QUIET, state="standing by")


def _is_deaf(bridge: BridgeReport) -> bool:
    return bool(bridge.leads and bridge.topics and bridge.connected_since is None)


def lag(half: float, most: float) -> str:
    """Return what half of the events, and 99 of a hundred, have taken: `18/490 ms`, `0.2/3.1 s`."""
    if most < 1:
        return f"{half * 1000:.0f}/{most * 1000:.0f} ms"
    return f"{half:.2g}/{most:.2g} s"


def _ago(seen: Status, moment: float) -> str:
    return span(max(0.0, seen.at - moment))


def _left_out(counts: Iterable[tuple[int, str]]) -> Iterator[Part]:
    """Yield the line that says how many rows are not shown, if any."""
    if told := ", ".join(f"{count} {what}" for count, what in counts if count):
        yield note(f"not shown: {told} (--all)", QUIET)


def _count(count: int) -> str:
    return str(count) if count else ""
