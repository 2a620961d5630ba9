"""The consumer's last resort: a message that no task can take becomes a dead letter.

Stock Celery logs such messages with their bodies and discards them, or ends by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from celery.worker.consumer import Consumer
from kombu.exceptions import ContentDisallowed, DecodeError

from tasks.errors import Rejected
from tasks.fields import is_identifier
from tasks.refusals import shown_name
from workers import envelope
from workers.dead_letters import DeadLetter
from workers.rates import split_queue
from workers.telemetry import log
from workers.transport import checked


class ParkingConsumer(Consumer):
    """Parks unregistered, unreadable and malformed messages with their bytes."""

    app: Any
    connection_errors: Any
    ensure_connected: Any

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Return a connection that delivers only what is a message at all."""
        connection = self.app.connection_for_read(heartbeat=heartbeat)
        connection.transport_cls = checked(connection.get_transport_cls(), self._keep)
        return self.ensure_connected(connection)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Return what takes messages. One that Celery stumbles over would end every worker."""
        take = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> Any:
            try:
                envelope.check(message.headers, message.payload)
                return take(message)
            except self.connection_errors:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it was, the message is kept
                return self._park(message, _reason(error))

        return on_task_received

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002  # Celery's call
        self._park(message, "message: is no Celery task message")

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, "task: is not a task of this installation")

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, _reason(exc))

    def on_decode_error(self, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, _reason(DecodeError()))

    def _park(self, message: Any, reason: str) -> None:
        queue = str((message.delivery_info or {}).get("routing_key", ""))
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        headers = message.headers if isinstance(message.headers, dict) else {}
        self._keep(queue, body, reason, headers)
        message.ack_log_error(log, self.connection_errors)

    def _keep(self, queue: str, body: bytes, reason: str, headers: Any = None) -> None:
        services = self.app.services
        known = (headers or {}).get("id")
        letter = DeadLetter(
            id=f"{queue}:{known if is_identifier(known) else uuid4()}",
            task=shown_name(str((headers or {}).get("task", ""))),
            queue=queue,
            tenant=split_queue(queue)[1],
            status="rejected",
            reason=reason,
            attempts=0,
            at=services.store.now(),
        )
        services.dead_letters.park(letter, body)
        log.warning("message.refused", queue=queue, task=letter.task, reason=reason)


def _reason(error: Exception) -> str:
    if isinstance(error, Rejected):
        return str(error)
    if isinstance(error, ContentDisallowed):
        return "content-type: must be application/json"
    if isinstance(error, DecodeError):
        return "message: cannot be read as JSON"
    return f"message: cannot be accepted ({type(error).__name__})"
