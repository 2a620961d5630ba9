"""`genesys-workers status`: queues, rates and dead letters at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from workers.cli.console import out
from workers.rates import format_rate

if TYPE_CHECKING:
    from workers.status import Status


def status() -> None:
    """Show what waits in each queue, at which rate it may start, and what could not be done.

    **Example**

    `genesys-workers status`
    """
    from workers.cli.services import services
    from workers.status import look

    found = services()
    seen = look(found)
    out.print(table(seen))
    out.print(f"held by workers: {seen.held}   dead letters: {seen.dead_letters}")
    out.print(f"tenants: {', '.join(found.tenants)}", markup=False)


def table(seen: Status) -> Table:
    """Return the queues as a table."""
    shown = Table("queue", "waiting", "rate")
    for column in shown.columns[1:]:
        column.justify = "right"
    for queue in seen.queues:
        rate = "as its task" if queue.rate is None else format_rate(queue.rate)
        shown.add_row(queue.name, str(queue.waiting), rate)
    return shown
