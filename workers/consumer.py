"""The consumer's last resort: a message that no task can take becomes a dead letter.

Stock Celery logs such messages with their bodies and discards them.
"""

from __future__ import annotations

from typing import Any

from celery.worker.consumer import Consumer

from tasks.refusals import shown_name
from workers.dead_letters import DeadLetter
from workers.telemetry import log

LONGEST_ID = 128


class ParkingConsumer(Consumer):
    """Parks unregistered, unreadable and malformed messages with their bytes."""

    app: Any
    connection_errors: Any

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002  # Celery's call
        self._park(message, "message: is no Celery task message")

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, "task: is not a task of this installation")

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, f"message: cannot be accepted ({type(exc).__name__})")

    def on_decode_error(self, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, "message: cannot be read as JSON")

    def _park(self, message: Any, reason: str) -> None:
        services = self.app.services
        headers = message.headers if isinstance(message.headers, dict) else {}
        queue = str((message.delivery_info or {}).get("routing_key", ""))
        letter = DeadLetter(
            id=f"{queue}:{str(headers.get('id', message.delivery_tag))[:LONGEST_ID]}",
            task=shown_name(str(headers.get("task", ""))),
            queue=queue,
            tenant="",
            status="rejected",
            reason=reason,
            attempts=0,
            at=services.store.now(),
        )
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        services.dead_letters.park(letter, body)
        log.warning("message.refused", queue=queue, task=letter.task, reason=reason)
        message.ack_log_error(log, self.connection_errors)
