"""Keeps a message that no operation has taken: as a dead letter, with its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from tasks.fields import is_identifier
from tasks.messages import DEFAULT_TENANT
from tasks.refusals import shown_name
from workers.dead_letters import DeadLetter
from workers.rates import split_queue
from workers.telemetry import log


def park(
    services: Any,
    body: bytes,
    *,
    queue: str,
    headers: Mapping[str, Any],
    reason: str,
    status: str = "rejected",
) -> None:
    """Keep `body` and say why, under the message's own id where it has a usable one."""
    known = headers.get("id")
    letter = DeadLetter(
        id=f"{queue}:{known if is_identifier(known) else uuid4()}",
        task=shown_name(str(headers.get("task", ""))),
        queue=queue,
        tenant=split_queue(queue)[1],
        status=status,
        reason=reason,
        attempts=0,
        at=services.store.now(),
    )
    record = {"message_id": known if is_identifier(known) else "", **vars(letter)}
    tenant = letter.tenant if letter.tenant in services.tenants else DEFAULT_TENANT
    services.audit.write(tenant, record, commands=services.dead_letters.parking(letter, body))
    log.warning("message.refused", queue=queue, task=letter.task, reason=reason)
