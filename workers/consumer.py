"""The consumer's last resort: a message that no task can take becomes a dead letter.

Stock Celery logs such messages with their bodies and discards them, or ends by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import states
from celery.worker.consumer import Consumer
from kombu.exceptions import ContentDisallowed, DecodeError

from tasks.errors import Rejected
from tasks.fields import is_identifier
from workers import envelope
from workers.parking import park
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
        transport = checked(connection.get_transport_cls(), self._keep)
        # Its name stays that of the URL, which `inspect stats` and log lines show.
        connection.get_transport_cls = lambda: transport
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
        park(self.app.services, body, queue=queue, headers=message.headers, reason=reason)
        self._answer(message.headers, reason)
        message.ack_log_error(log, self.connection_errors)

    def _answer(self, headers: dict[str, Any], reason: str) -> None:
        """Tell the producer, who may wait for a result."""
        if is_identifier(headers.get("id")) and not headers.get("ignore_result"):
            self.app.backend.store_result(headers["id"], Rejected(reason), states.FAILURE)

    def _keep(self, queue: str, raw: bytes, reason: str) -> None:
        park(self.app.services, raw, queue=queue, headers={}, reason=reason)


def _reason(error: Exception) -> str:
    if isinstance(error, Rejected):
        return str(error)
    if isinstance(error, ContentDisallowed):
        return "content-type: must be application/json"
    if isinstance(error, DecodeError):
        return "message: cannot be read as JSON"
    return f"message: cannot be accepted ({type(error).__name__})"
