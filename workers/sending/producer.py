"""Puts messages on the queues, as any stock Celery client does.

It has no result backend: with one, Celery would subscribe to the result of every message sent.
"""

from __future__ import annotations

import time
from contextlib import suppress

from celery import Celery

from tasks.messages import Message
from workers import broker
from workers.consuming.masking import mask_arguments
from workers.limits.rates import tenant_queue
from workers.store import INFRASTRUCTURE


class Producer:
    """Sends messages to the broker at `url`; connections are opened on first use and kept."""

    def __init__(self, url: str) -> None:
        self._broker = broker.parse(url)
        self._checked = False
        self.app = Celery("genesys-workers-producer", set_as_current=False)
        self.app.conf.update(self._broker.sending(), task_serializer="json")

    def publish(self, message: Message, delay: float = 0.0) -> str:
        """Put `message` on its tenant's queue, due in `delay` seconds; return its Celery id.

        That id is the operation id where the message has one. Raises kombu's `OperationalError`
        where the broker cannot be reached, and `SettingsError` at the first message where it
        cannot carry this project.
        """
        self._check()
        arguments = message.arguments()
        sent = self.app.send_task(
            message.task,
            kwargs=arguments,
            queue=tenant_queue(message.queue, message.tenant),
            task_id=message.operation_id,
            countdown=delay or None,
            argsrepr="()",
            kwargsrepr=mask_arguments(arguments),
            headers={"enqueued_at": time.time() + delay},
        )
        return str(sent.id)

    def _check(self) -> None:
        if self._checked:
            return
        # One that is away is met again by Celery, which knows when to give up.
        with suppress(*INFRASTRUCTURE), self._broker.connect() as client:
            broker.check(client)
            self._checked = True
