"""Messages as a stock client stores them, for steps that send one together with other writes."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from celery import Celery

from tasks.errors import Rejected
from tasks.messages import Message
from workers.auditing.audit import Command
from workers.consuming.masking import mask_arguments
from workers.limits.rates import tenant_queue
from workers.remembering.ledger import entry_key, fingerprint
from workers.store import Store
from workers.watching.tracing import UNTRACED, Tracer


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """Encodes messages with the protocol of `app`; what is delayed is due by the clock of Redis.

    `keep` is how many seconds the ledger remembers an operation. A header says when a message was
    put, by `clock` in epoch seconds, or is due: from there on its latency counts. Others link it to
    the span of `tracer` that it follows from.
    """

    app: Celery
    store: Store
    keep: float
    clock: Callable[[], float] = time.time
    tracer: Tracer = field(default=UNTRACED, repr=False)

    def put(self, message: Message) -> bool:
        """Put `message` on its tenant's queue, in one step with its entry in the ledger.

        Returns False, and puts nothing, where its operation id is known already. Raises `Rejected`
        where that belongs to an operation with other arguments.
        """
        name = message.operation_id or str(uuid4())
        queue = tenant_queue(message.queue, message.tenant)
        found = self.store.run(
            "send_message",
            [entry_key(message.tenant, name), queue],
            [
                fingerprint(message.task, message.arguments()),
                round(self.keep * 1000),
                name,
                self.stored(name, message, queue),
            ],
        )
        if found == b"mismatch":
            raise Rejected("operation_id: belongs to an operation with other arguments")
        return not found

    def sending(
        self, message: Message, delay: float = 0.0, *, name: str | None = None, **options: Any
    ) -> list[Command]:
        """Return the commands that put `message` on its tenant's queue, due in `delay` seconds.

        Its Celery id is `name`, else its operation id, which it needs then. `options` are those of
        Celery's `as_task_v2`: what goes on after the task, and `ignore_result`.
        """
        queue = tenant_queue(message.queue, message.tenant)
        eta = datetime.fromtimestamp(self.store.now() + delay, UTC).isoformat() if delay else None
        named = name or str(message.operation_id)
        stored = self.stored(named, message, queue, delay, eta=eta, **options)
        return [("LPUSH", queue, stored)]

    def stored(
        self,
        name: str,
        message: Message,
        queue: str,
        delay: float = 0.0,
        *,
        links: Mapping[str, str] | None = None,
        **options: Any,
    ) -> str:
        """Return what a stock client puts on `queue` for `message`, with `name` as its Celery id.

        It is due in `delay` seconds; `options` are those of Celery's `as_task_v2`. The headers
        `links` link it to a span, by default to the one that this thread works in.
        """
        arguments = message.arguments()
        amqp: Any = self.app.amqp
        headers, properties, body, _ = amqp.as_task_v2(
            name,
            message.task,
            kwargs=arguments,
            argsrepr="()",
            kwargsrepr=mask_arguments(arguments),
            **{"ignore_result": None, **options},
        )
        stored = {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                **headers,
                "enqueued_at": self.clock() + delay,
                **(self.tracer.headers() if links is None else links),
            },
            "properties": {
                **properties,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
        return json.dumps(stored)
