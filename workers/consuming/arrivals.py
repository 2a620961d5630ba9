"""What becomes of a claimed message before Celery sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from celery.worker import state

from tasks.errors import Failed, OperationError, Rejected
from workers.consuming import envelope
from workers.limits.priority import lists
from workers.limits.rates import DEFAULT_QUEUE
from workers.transport.claims import LARGEST, Claimed

#: Keeps a message: its queue, its bytes, its headers, and why it cannot be carried out.
Park = Callable[[str, bytes, dict[str, Any], OperationError], None]

#: What Celery takes for long past, on any clock.
LONG_PAST = datetime(2000, 1, 1, tzinfo=UTC).isoformat()


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Reads claimed messages with the services of this process."""

    services: Any
    park: Park

    def read(self, claimed: Claimed) -> dict[str, Any] | None:
        """Return the message for Celery; None where it is parked, or belongs to another queue."""
        headers: dict[str, Any] = {}
        try:
            message = _read(claimed)
            headers = message["headers"]
            _check(claimed, headers)
        except Rejected as error:
            self._keep(claimed, headers, error)
            return None
        if claimed.verdict == "poison":
            self._keep(claimed, headers, Failed("its worker died whenever it ran"))
            return None
        if claimed.verdict == "revoked":
            state.revoked.add(headers["id"])
        if queue := self._destination(claimed, message):
            self.services.claims.route(claimed.tag, queue)
            return None
        return _for_celery(claimed, message)

    def _keep(self, claimed: Claimed, headers: dict[str, Any], error: OperationError) -> None:
        self.park(claimed.queue, claimed.raw, headers, error)
        self.services.claims.settle([("end", claimed.tag, None)])

    def _destination(self, claimed: Claimed, message: dict[str, Any]) -> str | None:
        """Return the list that a message of the default queue belongs into, if it can be told."""
        if claimed.queue != DEFAULT_QUEUE:
            return None
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            _, arguments, _ = json.loads(base64.b64decode(message["body"]))
            queue = self.services.queue_of(message["headers"].get("task"), arguments)
            if queue:
                return lists(queue)[_step(message["properties"].get("priority"))]
        return None


def _read(claimed: Claimed) -> dict[str, Any]:
    if len(claimed.raw) > LARGEST:
        raise Rejected(f"message: must not be larger than {LARGEST} bytes")
    return envelope.read(claimed.raw)


def _check(claimed: Claimed, headers: dict[str, Any]) -> None:
    """Raise `Rejected` where the claim cannot have read what it had to decide by."""
    if claimed.verdict == "unreadable":
        raise Rejected("message: is no JSON that Redis reads")
    envelope.check_moments(headers)


def _step(priority: Any) -> int:
    """Return the place of the list, among a queue's four, that holds messages of `priority`."""
    return min(3, max(0, int(priority or 0)) // 3)


def _for_celery(claimed: Claimed, message: dict[str, Any]) -> dict[str, Any]:
    """Put what the claim has decided in the place of what the producer has said.

    The message is due, and has expired or not, by the clock of Redis; this worker's may differ.
    """
    expires = LONG_PAST if claimed.verdict == "expired" else None
    came = {"exchange": "", "routing_key": claimed.queue, "redelivered": claimed.runs > 1}
    return {
        **message,
        "headers": {**message["headers"], "eta": None, "expires": expires, "claimed": claimed.at},
        "properties": {
            **message["properties"],
            "delivery_tag": claimed.tag,
            "delivery_info": came,
        },
    }
