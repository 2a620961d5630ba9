"""Occurrences as rules make them, and what is left of them on the broker."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from tasks.messages import DEFAULT_TENANT, SyncProfile
from workers.bridge.judging import occurrences
from workers.bridge.judging.matching import Wanted
from workers.bridge.judging.occurrences import Occurrence


def wanted(
    value: str, at: int, *, contact: str = "c-1", tenant: str = DEFAULT_TENANT, **others: Any
) -> Wanted:
    """Return a sync of `contact`, wanted because it was in the state `value` at the moment `at`."""
    occurrence = Occurrence(
        subject=occurrences.subject("sync_profile", tenant, contact), value=value, at=at
    )
    return Wanted(
        rule="contact-changed",
        message=SyncProfile(
            contact_id=contact,
            tenant=tenant,
            operation_id=occurrence.operation_id,
            correlation_id="request-1",
            **others,
        ),
        occurrence=occurrence,
        at=datetime.fromtimestamp(at / 1000, UTC),
        source="websocket",
    )


def queued(redis: Redis, queue: str = "sync") -> list[dict[str, Any]]:
    """Return the messages on `queue`, the first one first, their bodies decoded."""
    raw: Any = redis.lrange(queue, 0, -1)
    messages = [json.loads(each) for each in reversed(raw)]
    for message in messages:
        message["body"] = json.loads(base64.b64decode(message["body"]))
    return messages


def arguments(message: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of a queued message."""
    return dict(message["body"][1])
