"""`genesys-workers masking`: the masking rules of an organisation, kept in step with its tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from workers.cli.console import complain, out, printable
from workers.cli.letter_choice import DryRun
from workers.cli.one_tenant import OneTenant, visited

if TYPE_CHECKING:
    from tasks.apis.masking_rules import MaskingRule
    from tasks.apis.systems import Systems
    from tasks.masking import Plan

#: What becomes of a rule: said of what is done, and of what would be done.
ACTIONS = {"create": "created", "change": "changed", "delete": "deleted"}


def masking(tenant: OneTenant = "default", dry_run: DryRun = False) -> None:
    """Let an organisation mask what its tenant wants redacted, before messages are stored.

    Its rules are made from the tenant's entities, tried by the API first, and then created, changed
    or deleted until they agree. Rules that others have made are shown and left alone. It concerns
    future messages only, and is coarser than redaction: a rule knows no checksum and no context;
    entities that need one are left out, and named. Doing it again changes nothing.

    Where standard output is no terminal, each rule is a JSON object on a line of its own. The exit
    code is 1 where the API refuses a rule; then nothing is changed.

    **Examples**

    `genesys-workers masking --dry-run`

    `genesys-workers masking --tenant acme`
    """
    from workers.cli.services import services

    with visited(services(), tenant) as systems:
        keep_in_step(systems, dry_run=dry_run)


def keep_in_step(systems: Systems, *, dry_run: bool) -> None:
    """Plan, try and change the rules, and print what became of each."""
    from tasks.apis.systems import offered
    from tasks.masking import carry_out, plan, refusals, wanted

    api, asked = offered(systems.masking), wanted(systems.redaction)
    planned = plan(asked.rules, api.masking_rules())
    refused = refusals((*planned.create, *planned.change), api)
    for name, why in refused.items():
        complain(f"{printable(name)}: {printable(why)}")
    for name, why in asked.left_out.items():
        complain(f"{name}: left out, {why}")
    if refused:
        complain("changed nothing: the API refuses these rules")
        raise typer.Exit(1)
    clashing = [] if dry_run else [rule.name for rule in carry_out(planned, api)]
    show(planned, clashing, dry_run=dry_run)
    if clashing:
        complain(f"not created, somebody else's rule is the same: {', '.join(clashing)}")


def show(planned: Plan, clashing: list[str], *, dry_run: bool) -> None:
    """Print every rule with what became of it: a table, or JSON lines where nobody reads it."""
    rows = [(what, rule) for what, rule in _rows(planned, dry_run) if rule.name not in clashing]
    if not out.is_terminal:
        for what, rule in rows:
            print(json.dumps({"rule": rule.name, "action": what, "definition": rule.definition}))
        return
    shown = Table("rule", "", "definition", box=box.SIMPLE_HEAD, pad_edge=False)
    for what, rule in rows:
        shown.add_row(*(Text(printable(each)) for each in (rule.name, what, rule.definition)))
    out.print(shown)


def _rows(planned: Plan, dry_run: bool) -> Iterator[tuple[str, MaskingRule]]:
    for verb, past in ACTIONS.items():
        for rule in getattr(planned, verb):
            yield (f"would be {past}" if dry_run else past), rule
    yield from (("as it should be", rule) for rule in planned.kept)
    yield from (("somebody else's", rule) for rule in planned.foreign)
