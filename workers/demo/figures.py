"""The figures of a run, per task: how its operations ended, how fast, and with which calls."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from workers.demo.plan import Plan

#: Calls carry the id of the operation that was asked for; these are made by what follows it.
_ROUTES_OF_ONE_TASK = {
    "/api/v2/interactions/contacts/{contactId}": "sync_profile",
    "/api/v2/customers/{customerId}/attributes": "sync_profile",
    "/api/v2/interactions/{id}": "redact_interaction",
    "/api/v2/webchat/configurations/replicate/{id}": "confirm_replication",
}

#: Endings that have a column in any case, and its heading.
COLUMNS = {"done": "done", "noop": "noop", "accepted": "acc.", "rejected": "rej."}

CAPTION = (
    "acc.: accepted; rej.: rejected; again: sent once more, not done once more;\n"
    "retr.: took several attempts; p50, p95: ms from the first attempt to the end"
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One row; latencies are in ms from an operation's first attempt to its end."""

    task: str
    messages: int
    endings: Mapping[str, int]
    repeated: int
    retried: int
    latencies: Sequence[float]
    calls: int
    refused_calls: int


def count(
    plan: Plan,
    *,
    ended: Mapping[str, str],
    records: Iterable[Mapping[str, Any]],
    journal: Iterable[Mapping[str, Any]],
) -> list[Figures]:
    """Return a row per task of the plan.

    `ended` is the status by message id, `records` the audit record, `journal` the sandbox's.
    """
    sent, operations = plan.sent(), plan.operations()
    recorded = [record for record in records if "latency_ms" in record]
    calls, refused = _calls(plan, journal)
    endings = _endings(plan, ended)
    return [
        Figures(
            task=task,
            messages=sent[task],
            endings=endings.get(task, {}),
            repeated=sent[task] - operations[task],
            retried=sum(r["task"] == task and r["attempts"] > 1 for r in recorded),
            latencies=[r["latency_ms"] for r in recorded if r["task"] == task],
            calls=calls[task],
            refused_calls=refused[task],
        )
        for task in sorted(operations)
    ]


def _endings(plan: Plan, ended: Mapping[str, str]) -> Mapping[str, Counter[str]]:
    """Return how each task's operations ended: a message sent again is none of its own."""
    counted: dict[str, Counter[str]] = {}
    for planned in plan.planned:
        again = planned.message_ids[1:]
        for message_id, task, _ in planned.expected():
            if message_id not in again or message_id == planned.message_ids[0]:
                counted.setdefault(task, Counter())[ended.get(message_id, "lost")] += 1
    return counted


def _calls(plan: Plan, journal: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """Return calls and 429s by task."""
    tasks = {planned.operation_id: planned.errand.task for planned in plan.planned}
    calls: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for request in journal:
        task = _follower(request) or tasks.get(request["correlation_id"], "")
        calls[task] += 1
        refused[task] += request["status"] == 429
    return calls, refused


def _follower(request: Mapping[str, Any]) -> str | None:
    """Return the task that alone makes such a call, None where several do."""
    if "nextPage" in request["query"]:
        return "sweep_page"
    return _ROUTES_OF_ONE_TASK.get(request["route"] or "")


def table(rows: Sequence[Figures]) -> Table:
    """Return the figures for people; it fits into 80 columns."""
    names = [*COLUMNS, *sorted({name for row in rows for name in row.endings} - set(COLUMNS))]
    shown = Table(box=SIMPLE_HEAD, padding=0, caption=CAPTION, caption_justify="left")
    shown.add_column("task", no_wrap=True)
    headings = [COLUMNS.get(name, name) for name in names]
    for heading in ("sent", *headings, "again", "retr.", "p50", "p95", "calls", "429s"):
        shown.add_column(heading, justify="right")
    for row in rows:
        shown.add_row(row.task, *map(str, _cells(row, names)))
    return shown


def _cells(row: Figures, endings: Iterable[str]) -> list[str | int]:
    return [
        row.messages,
        *(row.endings.get(name, 0) for name in endings),
        row.repeated,
        row.retried,
        _percentile(row.latencies, 50),
        _percentile(row.latencies, 95),
        row.calls,
        row.refused_calls,
    ]


def _percentile(values: Sequence[float], percent: int) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.0f}"
    return f"{statistics.quantiles(values, n=100, method='inclusive')[percent - 1]:.0f}"
