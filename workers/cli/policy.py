"""`genesys-workers policy`: what happens after each answer of an outside system."""

from __future__ import annotations

from rich import box
from rich.table import Table

from workers import policy_table
from workers.cli.console import out
from workers.policy import adjusted
from workers.settings import Settings


def policy() -> None:
    """Show what happens after each answer of an outside system, as this installation has set it.

    Its numbers are changed by variables such as ERROR_POLICY__409__TRIES=3.

    **Example**

    `ERROR_POLICY__5xx__TRIES=12 genesys-workers policy`
    """
    shown = Table(*policy_table.HEADINGS, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in policy_table.rows(adjusted(Settings.load().error_policy)):
        shown.add_row(*row)
    out.print(shown)
