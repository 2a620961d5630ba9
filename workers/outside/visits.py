"""A tenant's outside systems, opened for a command: its calls count, and belong to no operation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from tasks.apis.calls import Call
from tasks.apis.systems import Systems
from workers.remembering.ledger import Claim

if TYPE_CHECKING:
    from workers.app import Services


class Unlogged:
    """Implements `CallLog` for a command: what it is to say goes to its own output."""

    def sending(self, call: Call, *, within: float) -> None:
        """Keep no count."""

    def answered(
        self, call: Call, *, status: int | None, seconds: float, reference: str = ""
    ) -> None:
        """Say nothing."""


@contextmanager
def visiting(services: Services, tenant: str, calls: int = 1) -> Iterator[Systems]:
    """Open the tenant's systems in the block; of `steps`, nothing can be noted or reserved.

    Its first call leaves where so many `calls` fit into the budget. Raises what their verbs raise,
    `Postponed` too: nobody comes back for a command.
    """
    name, now = f"command-{uuid4()}", services.store.now()
    nobody = Claim(operation_id=name, tenant=tenant, owner="", attempts=1, first_at=now, at=now)
    with services.runner.connections[tenant].open(nobody, name, Unlogged(), calls) as systems:
        yield systems
