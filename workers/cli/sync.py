"""`genesys-workers sync`: one contact or all of them to the tenant's customer store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tasks.fields import is_identifier
from tasks.refusals import shown_attribute, shown_customer
from workers.cli.console import out, printable
from workers.cli.letter_choice import DryRun, Yes
from workers.cli.one_tenant import OneTenant, check_tenant

if TYPE_CHECKING:
    from tasks.apis.systems import Systems
    from tasks.messages import SyncProfile
    from tasks.sync_preview import Difference, Preview
    from workers.app import Services
    from workers.remembering.checkpoints import Checkpoint

#: What is shown of a value that is not to be shown.
MASK = "***"


def _identifier(given: str | None) -> str | None:
    if given is not None and not is_identifier(given):
        raise typer.BadParameter("is not an id")
    return given


def sync(
    contact: Annotated[
        str | None,
        typer.Argument(metavar="CONTACT_ID", callback=_identifier, show_default=False),
    ] = None,
    tenant: OneTenant = "default",
    customer: Annotated[
        str | None,
        typer.Option(callback=_identifier, help="The customer's id, instead of the tenant's rule."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every contact there is.")] = False,
    erase: Annotated[
        bool, typer.Option("--erase", help="Remove fields that the tenant no longer sends.")
    ] = False,
    dry_run: DryRun = False,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="With --dry-run: personal data, too.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Send a message that syncs a contact, or one for every contact; show what it would change.

    With `--dry-run` it prints each field as it is and as it would be, with the values masked, and
    of `--all` how many contacts there are. `--all` goes on where an earlier run was stopped. With
    `--erase` it removes, itself and at once, the fields that the tenant's map drops, and those that
    a sync has written and the map no longer names.

    Where standard output is no terminal, each field is a JSON object on a line of its own. The exit
    code is 1 where the contact, its mapping or the target is in the way.

    **Examples**

    `genesys-workers sync c-1 --dry-run --show-values`

    `genesys-workers sync --all --tenant acme`

    `genesys-workers sync --all --erase --dry-run`
    """
    from workers.cli.services import services

    _check_usage(contact, customer, every=every, show_values=show_values and not dry_run)
    found = services()
    check_tenant(found, tenant)
    if erase:
        _erase(found, tenant, contact, customer, dry_run=dry_run, yes=yes)
    elif every:
        _send_all(found, tenant, dry_run=dry_run)
    elif dry_run:
        _preview(found, _message(tenant, contact, customer), show_values=show_values)
    else:
        message = _message(tenant, contact, customer)
        found.outbox.put(message)
        say({"contact": contact, "operation_id": message.operation_id, "status": "sent"})


def _check_usage(
    contact: str | None, customer: str | None, *, every: bool, show_values: bool
) -> None:
    if bool(contact) == every:
        raise typer.BadParameter("give a CONTACT_ID, or --all")
    if customer and every:
        raise typer.BadParameter("goes with one contact", param_hint="--customer")
    if show_values:
        raise typer.BadParameter("goes with --dry-run", param_hint="--show-values")


def _message(
    tenant: str, contact: str | None, customer: str | None, operation_id: str | None = None
) -> SyncProfile:
    from tasks.messages import SyncProfile

    return SyncProfile(
        tenant=tenant,
        contact_id=str(contact),
        customer_id=customer,
        operation_id=operation_id or str(uuid4()),
    )


def _preview(found: Services, message: SyncProfile, *, show_values: bool) -> None:
    from tasks.sync_preview import preview
    from workers.cli.sync_all import patiently

    shown = patiently(found, message.tenant, partial(preview, message))
    customer = shown.customer_id if show_values else _customer(shown.customer_id)
    say({"contact": shown.contact_id, "customer": customer, "status": "dry run"})
    show(shown, show_values=show_values)


def _send_all(found: Services, tenant: str, *, dry_run: bool) -> None:
    """Send a message for every contact; one of a run that was stopped is not sent again."""
    from tasks.operations import child_id
    from workers.cli.sync_all import AllContacts

    sent = 0

    def send(place: Checkpoint, contact_id: str) -> None:
        nonlocal sent
        if not dry_run:
            name = child_id(place.run, contact_id)
            sent += found.outbox.put(_message(tenant, contact_id, None, name))

    contacts = AllContacts(services=found, tenant=tenant, command="sync", lasting=not dry_run)
    count = contacts.each(send)
    say({"contacts": count, "sent": sent, "status": "dry run" if dry_run else "sent"})


def _erase(
    found: Services,
    tenant: str,
    contact: str | None,
    customer: str | None,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    if not (dry_run or yes):
        whose = f"the customer of {contact}" if contact else f"every customer of {tenant}"
        typer.confirm(f"Remove what is no longer sent from {whose}?", abort=True, err=True)
    act = _erasing(found, tenant, customer, dry_run=dry_run)
    if contact:
        act(contact)
        return
    from workers.cli.sync_all import AllContacts

    contacts = AllContacts(services=found, tenant=tenant, command="erase", lasting=not dry_run)
    count = contacts.each(lambda _, contact_id: act(contact_id))
    print(f"{count} contacts", file=sys.stderr)


def _erasing(
    found: Services, tenant: str, customer: str | None, *, dry_run: bool
) -> Callable[[str], None]:
    """Return what erases, or would erase, the fields of a contact's customer, and says which."""
    from tasks.sync import find_customer, read_contact
    from tasks.sync_erasure import erase, fields_to_erase
    from workers.cli.sync_all import patiently

    def of(contact_id: str, systems: Systems) -> dict[str, Any] | None:
        message = _message(tenant, contact_id, customer)
        chosen = find_customer(message, read_contact(message, systems), systems)
        names = fields_to_erase(chosen, systems) if chosen else []
        if chosen and names and not dry_run:
            erase(chosen, names, systems)
        if not names:
            return None
        shown = list(map(shown_attribute, names))
        return {"contact": contact_id, "customer": _customer(chosen), "fields": shown}

    def act(contact_id: str) -> None:
        if facts := patiently(found, tenant, partial(of, contact_id)):
            say({**facts, "status": "would be erased" if dry_run else "erased"})

    return act


def show(preview: Preview, *, show_values: bool) -> None:
    """Print what would become of each field: a table, or JSON lines where nobody reads it."""
    shown = Table("field", "", "now", "would be", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in preview.differences:
        now, would_be = _values(each, show_values=show_values)
        name = each.name if show_values else shown_attribute(each.name)
        if out.is_terminal:
            shown.add_row(*(Text(printable(t)) for t in (name, each.change, now, would_be)))
        else:
            facts = {"field": name, "change": each.change, "now": now, "would_be": would_be}
            print(json.dumps(facts))
    if out.is_terminal:
        out.print(shown if shown.row_count else "Nothing would be sent.")


def _customer(customer_id: str | None) -> str | None:
    return shown_customer(customer_id) if customer_id else None


def _values(each: Difference, *, show_values: bool) -> tuple[str, str]:
    """Return both values as texts, "" for none."""
    if not show_values:
        return MASK if each.change in ("changed", "same") else "", MASK
    return "" if each.now is None else str(each.now), str(each.would_be)


def say(facts: dict[str, Any]) -> None:
    """Print what is known, as a line, or as JSON where nobody reads it."""
    if not out.is_terminal:
        print(json.dumps(facts))
        return
    shown = (f"{name} {_listed(value)}" for name, value in facts.items() if value is not None)
    out.print(printable(", ".join(shown)), markup=False, highlight=False, soft_wrap=True)


def _listed(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
