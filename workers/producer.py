"""Puts messages on the queues, as any stock Celery client does.

It has no result backend: with one, Celery would subscribe to the result of every message sent.
"""

from __future__ import annotations

from celery import Celery

from tasks.messages import Message
from workers.masking import mask_arguments
from workers.rates import tenant_queue


class Producer:
    """Sends messages to the broker at `url`; connections are opened on first use and kept."""

    def __init__(self, url: str) -> None:
        self.app = Celery("genesys-workers-producer", broker=url, set_as_current=False)
        self.app.conf.task_serializer = "json"

    def publish(self, message: Message, delay: float = 0.0) -> str:
        """Put `message` on its tenant's queue, due in `delay` seconds; return its Celery id.

        That id is the operation id where the message has one. Raises kombu's `OperationalError`
        where the broker cannot be reached.
        """
        arguments = message.arguments()
        sent = self.app.send_task(
            message.task,
            kwargs=arguments,
            queue=tenant_queue(message.queue, message.tenant),
            task_id=message.operation_id,
            countdown=delay or None,
            argsrepr="()",
            kwargsrepr=mask_arguments(arguments),
        )
        return str(sent.id)
