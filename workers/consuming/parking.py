"""Keeps a message that no operation has taken: as a dead letter, with its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from tasks.errors import Rejected
from tasks.fields import is_identifier
from tasks.messages import DEFAULT_TENANT
from tasks.refusals import shown_name
from workers.letters.dead_letters import DeadLetter
from workers.letters.kept_message import read
from workers.limits.rates import split_queue
from workers.watching.telemetry import log


def park(
    services: Any,
    body: bytes,
    *,
    queue: str,
    headers: Mapping[str, Any],
    reason: str,
    status: str = "rejected",
    kind: str = "malformed",
    tag: str = "",
) -> None:
    """Keep a message and say why, under its own id where it has a usable one.

    With the `tag` of its claim it is kept as it stood on the queue, else as `body`. `kind` is a
    word for the reason, to be counted.
    """
    content = services.dead_letters.raw(tag) or body
    message_id = headers.get("id")
    known = message_id if is_identifier(message_id) else ""
    named, told = _ids(content)
    operation_id = named or known
    letter = DeadLetter(
        id=f"{queue}:{known or uuid4()}",
        task=shown_name(str(headers.get("task", ""))),
        queue=queue,
        tenant=split_queue(queue)[1],
        status=status,
        reason=reason,
        attempts=0,
        at=services.store.now(),
        operation_id=operation_id,
        correlation_id=told or operation_id,
        size=len(content),
    )
    record = {"message_id": known, **vars(letter)}
    tenant = letter.tenant if letter.tenant in services.tenants else DEFAULT_TENANT
    services.audit.write(tenant, record, commands=services.dead_letters.parking(letter, content))
    services.counts.parked(tenant, split_queue(queue)[0], kind)
    log.warning(
        "message.refused",
        queue=queue,
        task=letter.task,
        message_id=known,
        operation_id=letter.operation_id,
        correlation_id=letter.correlation_id,
        reason=reason,
    )


def _ids(content: bytes) -> tuple[str, str]:
    """Return the operation id and the correlation id that the message names, "" for none."""
    try:
        kept = read(content)
    except Rejected:
        return "", ""
    return kept.named("operation_id"), kept.named("correlation_id")
