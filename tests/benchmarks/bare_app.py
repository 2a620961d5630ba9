"""This project's app without ledger, locks and audit record.

All else is as it is in `workers.app`: claims of messages, budgets, tokens, HTTP, newest values,
results. What hands the ledger something, such as the digest of the arguments, still does.
"""

from __future__ import annotations

import time
from typing import Any

from workers.app import create_app
from workers.auditing.audit import Audit
from workers.remembering.ledger import Claim, Ledger
from workers.settings import Settings
from workers.tenants import load_tenants


class NoLedger(Ledger):
    """Grants every run, remembers none of them, and takes no lock."""

    def claim(
        self,
        tenant: str,
        operation_id: str,
        owner: str,
        _fingerprint: str,
        _message_id: str,
        tag: str = "",
        _resources: object = (),
    ) -> Claim:
        now = time.time()
        return Claim(
            operation_id=operation_id,
            tenant=tenant,
            owner=owner,
            attempts=1,
            first_at=now,
            at=now,
            tag=tag,
        )

    def put_back(self, *_: Any, **__: Any) -> None:
        return

    def intend(self, *_: Any, **__: Any) -> None:
        return

    def ending(self, *_: Any, **__: Any) -> list[Any]:
        return []


class NoAudit(Audit):
    """Writes no record, and carries out nothing with it."""

    def write(self, *_: Any, **__: Any) -> bool:
        return True


settings = Settings.load()
app = create_app(settings, load_tenants(settings))
services = app.services
vars(services).update(
    ledger=NoLedger(
        store=services.store, lease=settings.lease_seconds, keep=settings.ledger_seconds
    ),
    audit=NoAudit(store=services.store),
)
