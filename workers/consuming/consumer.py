"""The worker's consumer: it claims its messages, and keeps those that no task can take.

Stock Celery logs such messages with their bodies and discards them, or ends by them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import uuid4

from celery import states
from celery.worker.consumer import Consumer
from kombu.exceptions import ContentDisallowed, DecodeError

from tasks.errors import Failed, OperationError, Rejected, SettingsError
from tasks.fields import is_identifier
from workers import broker
from workers.consuming import envelope, revocations
from workers.consuming.arrivals import Arrivals
from workers.consuming.parking import park
from workers.transport.channel import Desk, claiming
from workers.watching.telemetry import log

__all__ = ("ClaimingConsumer", "revocations")

#: What Kombu says is masked, as all that other libraries say.
FOREIGN = logging.getLogger(__name__)


class ClaimingConsumer(Consumer):
    """Claims messages, and parks unregistered, unreadable and malformed ones with their bytes."""

    app: Any
    connection_errors: Any
    ensure_connected: Any
    hostname: str
    initial_prefetch_count: int
    _is_ending = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = self.app.services
        services.leases.worker = f"{self.hostname}/{uuid4().hex[:8]}"
        arrivals = Arrivals(services=services, park=self._keep)
        self._desk = Desk(
            claims=services.claims,
            leases=services.leases,
            question=lru_cache(maxsize=64)(services.question),
            read=arrivals.read,
        )

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Return a connection whose channels claim their messages."""
        connection = self.app.connection_for_read(heartbeat=heartbeat)
        transport = claiming(connection.get_transport_cls(), self._desk)
        # Its name stays that of the URL, which `inspect stats` and log lines show.
        connection.get_transport_cls = lambda: transport
        about = connection.info
        connection.info = lambda: _without_secrets(about())
        connected = self.ensure_connected(connection)
        try:
            broker.check(self.app.services.store.redis)
        except SettingsError as error:
            log.error("broker.refused", reason=str(error))
            raise SystemExit(error.exit_code) from None
        return connected

    def on_ready(self) -> None:
        """Tell of the worker, before it has claimed anything."""
        leases = self.app.services.leases
        leases.about.update(
            name=self.hostname,
            queues=sorted(queue.name for queue in self.app.amqp.queues.consume_from.values()),
            slots=self.initial_prefetch_count,
        )
        leases.begin()
        super().on_ready()

    def on_close(self) -> None:
        """Keep what is claimed when a connection is lost: it is redelivered to nobody.

        Celery forgets here what its pool has not begun, and what it begins in this moment.
        """
        if self._is_ending:
            super().on_close()

    def stop(self) -> None:
        """Stop claiming; what has not been started goes back at once."""
        self._is_ending = True
        super().stop()
        self.app.services.leases.return_unstarted()

    def shutdown(self) -> None:
        """Settle what has ended, after everything that ran has ended."""
        super().shutdown()
        self.app.services.leases.close()

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
        self._park(message, "task: is not a task of this installation", kind="unknown_task")

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, _reason(exc))

    def on_decode_error(self, message: Any, exc: Any) -> None:  # noqa: ARG002
        self._park(message, _reason(DecodeError()))

    def _park(self, message: Any, reason: str, *, kind: str = "malformed") -> None:
        queue = str((message.delivery_info or {}).get("routing_key", ""))
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        tag = str(message.delivery_tag)
        self._keep(queue, body, message.headers, Rejected(reason), tag, kind=kind)
        message.ack_log_error(FOREIGN, self.connection_errors)

    def _keep(
        self,
        queue: str,
        raw: bytes,
        headers: dict[str, Any],
        error: OperationError,
        tag: str = "",
        *,
        kind: str = "malformed",
    ) -> None:
        """Keep a message's bytes, and tell its producer, who may wait for a result.

        One that no worker survives is the only one that has failed before it was read.
        """
        park(
            self.app.services,
            raw,
            queue=queue,
            headers=headers,
            reason=str(error),
            status=error.status,
            kind="poison" if isinstance(error, Failed) else kind,
            tag=tag,
        )
        if is_identifier(headers.get("id")) and not headers.get("ignore_result"):
            self.app.backend.store_result(headers["id"], error, states.FAILURE)


def _without_secrets(about: dict[str, Any]) -> dict[str, Any]:
    """Return what `inspect stats`, and so Flower, may tell of a connection: no Sentinel's login."""
    options = about["transport_options"].items()
    told = {name: value for name, value in options if name != "sentinel_kwargs"}
    return {**about, "transport_options": told}


def _reason(error: Exception) -> str:
    if isinstance(error, Rejected):
        return str(error)
    if isinstance(error, ContentDisallowed):
        return "content-type: must be application/json"
    if isinstance(error, DecodeError):
        return "message: cannot be read as JSON"
    return f"message: cannot be accepted ({type(error).__name__})"
