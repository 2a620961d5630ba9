"""All contacts of a tenant, one after another, with a checkpoint and a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tasks.errors import BadRequest, Failed, Postponed, Unprocessable, Unsupported
from tasks.sweep import usable_ids
from workers.cli.console import complain, err
from workers.cli.one_tenant import visited
from workers.remembering.checkpoints import Checkpoint, Checkpoints

if TYPE_CHECKING:
    from tasks.apis.contact_scan import ContactPage, ContactScan
    from tasks.apis.systems import Systems
    from workers.app import Services

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AllContacts:
    """The contacts of a tenant as `command` goes through them.

    A run that was stopped, however it was, goes on with the page that it was in; without `lasting`
    it leaves no checkpoint.
    """

    services: Services
    tenant: str
    command: str
    lasting: bool = True

    def each(self, act: Callable[[Checkpoint, str], object]) -> int:
        """Let `act` have the id of every contact, and return how many there were."""
        place = self._begin()
        with _bar() as progress:
            bar = progress.add_task("contacts", total=None, completed=place.contacts)
            while True:
                page = self._page(place)
                for contact_id in usable_ids(page.ids):
                    act(place, contact_id)
                    progress.advance(bar)
                found = place.contacts + len(page.ids)
                if page.next_cursor is None:
                    self._checkpoints.clear()
                    return found
                place = replace(place, cursor=page.next_cursor, contacts=found)
                self._keep(place)

    def _begin(self) -> Checkpoint:
        held = self._checkpoints.load() if self.lasting else None
        if held:
            complain(f"going on after {held.contacts:,} contacts of a run that was stopped")
        place = held or Checkpoint.first()
        self._keep(place)
        return place

    def _page(self, place: Checkpoint) -> ContactPage:
        def read(systems: Systems) -> ContactPage:
            scan = systems.contact_scan
            if scan is None:
                raise Unsupported(
                    f"--all: the {systems.genesys.capabilities.contract} contract lists no "
                    "contacts; name them, or enqueue sync_profile"
                )
            return read_page(scan, place.cursor)

        return patiently(self.services, self.tenant, read)

    def _keep(self, place: Checkpoint) -> None:
        if self.lasting:
            self._checkpoints.save(place)

    @property
    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(store=self.services.store, tenant=self.tenant, command=self.command)


def read_page(scan: ContactScan, cursor: str | None) -> ContactPage:
    """Return the page, the first one where its cursor has expired."""
    try:
        page = scan.contact_page(cursor)
    except (BadRequest, Unprocessable):
        if cursor is None:
            raise
        complain("the place has expired: beginning anew, nothing is sent twice")
        return scan.contact_page(None)
    if page.next_cursor and page.next_cursor == cursor:
        raise Failed("--all: the API's cursor stands still")
    return page


def patiently(services: Services, tenant: str, act: Callable[[Systems], T]) -> T:
    """Return what `act` returns, each time with systems of its own; wait while it is postponed.

    What it raises besides is one line and the exit code 1.
    """
    while True:
        with visited(services, tenant) as systems:
            try:
                return act(systems)
            except Postponed as error:
                wait = error.wait
        time.sleep(wait)


def _bar() -> Progress:
    """Return a bar for a number of contacts that nobody knows before the end."""
    columns = (BarColumn(), TextColumn("{task.completed:,} contacts"), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
