"""What `genesys-workers status` shows, in tables as narrow as what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from workers.bridge.watching.reports import GONE
from workers.cli.console import printable
from workers.cli.listing import Listing
from workers.cli.moments import local_time, span
from workers.limits.rates import format_achieved, format_rate, split_queue
from workers.watching.strays import MOST

if TYPE_CHECKING:
    from workers.bridge.watching.reports import BridgeReport
    from workers.limits.overrides import RateSet
    from workers.watching.roster import WorkerStatus
    from workers.watching.status import QueueStatus, Status, SystemStatus

#: Rows of a table above which those are left out where nothing happens.
MANY = 20

#: Queues of a worker that are named.
FEW = 7

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class View:
    """What is to be seen of a status: notes, which may be alarms, and tables."""

    notes: Sequence[Text]
    tables: Sequence[Listing]

    def printed(self) -> RenderableType:
        """Return it as it is read from its end, where the next prompt is."""
        return Group(*self.tables, *self.notes)

    def watched(self, head: Text) -> RenderableType:
        """Return it as it stands on a screen, whose end may be cut off."""
        return Group(head, *self.notes, *self.tables)


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
    tables = (_queues(seen, queues), _systems(systems), _workers(seen), _bridges(seen))
    return View(
        notes=[*_notes(seen), *_left_out(left_out)],
        tables=[table for table in tables if table.rows],
    )


def _shown(rows: Sequence[T], many: int | None, is_busy: Callable[[T], bool]) -> list[T]:
    if many is None or len(rows) <= many:
        return list(rows)
    return [each for each in rows if is_busy(each)]


def _is_busy(queue: QueueStatus) -> bool:
    return bool(not queue.idle or queue.achieved or queue.rate_set)


def _queues(seen: Status, queues: Iterable[QueueStatus]) -> Listing:
    return Listing(
        headings="queue,waiting>,delayed>,leased>,oldest>,started>,of,set by~?,workers~",
        rows=[(_queue(seen, each), _of_queue(each)) for each in queues],
    )


def _of_queue(queue: QueueStatus) -> str:
    if queue.trouble:
        return "red"
    return "" if _is_busy(queue) else "dim"


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
        headings="tenant,system,calls>,of>,reserved>?,window ends in>,paused for>",
        rows=[(_system(each), _of_system(each)) for each in systems],
    )


def _of_system(system: SystemStatus) -> str:
    if system.pause_left is not None:
        return "red"
    return "" if system.spent else "dim"


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
    rows = [(_worker(each, known), "" if each.alive else "red") for each in seen.workers]
    return Listing(headings="worker,holds>,slots>,queues~,last heard of", rows=rows)


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
    return Listing(
        headings="tenant,bridge~,role,hears>,topics>,events>,lag>,last>?,sent>?,again>?,gaps>",
        rows=[(_bridge(seen, each), _of_bridge(seen, each)) for each in seen.bridges],
    )


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


def _of_bridge(seen: Status, bridge: BridgeReport) -> str:
    """Return the colour of a bridge that is gone, or leads and does not hear everything."""
    if seen.at - bridge.at > GONE or _is_deaf(bridge) or (bridge.leads and bridge.rejected):
        return "red"
    return "" if bridge.leads or bridge.rate else "dim"


def _is_deaf(bridge: BridgeReport) -> bool:
    return bool(bridge.leads and bridge.topics and bridge.connected_since is None)


def lag(half: float, most: float) -> str:
    """Return what half of the events, and 99 of a hundred, have taken: `18/490 ms`, `0.2/3.1 s`."""
    if most < 1:
        return f"{half * 1000:.0f}/{most * 1000:.0f} ms"
    return f"{half:.2g}/{most:.2g} s"


def _ago(seen: Status, moment: float) -> str:
    return span(max(0.0, seen.at - moment))


def _notes(seen: Status) -> Iterator[Text]:
    if not any(worker.alive for worker in seen.workers):
        yield Text("no worker is alive", "red")
    for tenant, pause in seen.pauses.items():
        line = f"{tenant} is paused by {pause.by} since {local_time(pause.at)}"
        yield Text(printable(line), "yellow")
    if not seen.complete:
        yield Text(f"Redis has more than {MOST:,} keys: mistyped queues may be missing", "yellow")
    for tenant, gaps in seen.gaps.items():
        since = local_time(min(gap.start for gap in gaps))
        line = f"{tenant}: {len(gaps)} gaps since {since} are still to be backfilled"
        yield Text(printable(line), "yellow")
    for tenant, found in seen.findings.items():
        kinds = ", ".join(f"{count} {entity}" for entity, count in found.items())
        yield Text(printable(f"redacted for {tenant}: {kinds}"))
    yield Text(f"held by workers: {seen.held}   dead letters: {seen.dead_letters}")


def _left_out(counts: Iterable[tuple[int, str]]) -> Iterator[Text]:
    """Yield the line that says how many rows are not shown, if any."""
    if told := ", ".join(f"{count} {what}" for count, what in counts if count):
        yield Text(f"not shown: {told} (--all)", "dim")


def _count(count: int) -> str:
    return str(count) if count else ""
