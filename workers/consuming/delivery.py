"""A task message as it was delivered, and whether it may be accepted."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.errors import Rejected
from tasks.fields import Identifier, is_identifier
from tasks.messages import Message, parse
from tasks.operations import Operation
from workers.limits.rates import DEFAULT_QUEUE, split_queue

_ID = TypeAdapter(Identifier)

#: Seconds: of an older message nobody wants to know how long it took.
_LONGEST_AGO = 30 * 86_400


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message's id, the queue it came from, and its arguments.

    `tag` names the worker's claim of it, "" where it is under no lease. `enqueued_at` is when it
    was put on its queue, or due, in epoch seconds; None where its producer did not say. The headers
    `links` link it to a trace.
    """

    message_id: str
    queue: str
    arguments: Mapping[str, Any] = field(repr=False)
    positional: tuple[Any, ...] = field(default=(), repr=False)
    tag: str = ""
    enqueued_at: float | None = None
    links: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def tenant(self) -> str:
        """The tenant whose queue it came from; the default queue counts as the default one's."""
        return split_queue(self.queue)[1]

    def owner(self, tenants: Collection[str]) -> str:
        """Return whose it is: on the default queue, of the one of `tenants` that it names."""
        named = self.arguments.get("tenant")
        known = self.queue == DEFAULT_QUEUE and isinstance(named, str) and named in tenants
        return str(named) if known else self.tenant

    def names(self, tenants: Collection[str]) -> dict[str, str]:
        """Return what it is called wherever it is told of."""
        return {
            "message_id": self.message_id,
            "operation_id": self.operation_id,
            "correlation_id": self.correlation_id,
            "tenant": self.owner(tenants),
        }

    @cached_property
    def operation_id(self) -> str:
        """The id of its operation: the one that it names, else its own."""
        return self._named("operation_id") or self.message_id

    @cached_property
    def correlation_id(self) -> str:
        """What its calls and its follow-ups carry on: what it names, else its operation's id."""
        return self._named("correlation_id") or self.operation_id

    def _named(self, argument: str) -> str:
        value = self.arguments.get(argument)
        return value if is_identifier(value) else ""

    @property
    def payload(self) -> bytes:
        """The arguments as JSON, as they are kept in a dead letter; a pair with positional ones."""
        kept = [self.positional, self.arguments] if self.positional else self.arguments
        return json.dumps(kept, default=str).encode()


def accept(operation: Operation[Any], delivery: Delivery, tenants: Collection[str]) -> Message:
    """Return the valid message that was delivered.

    Raises `Rejected` naming the field and the rule.
    """
    if delivery.positional:
        raise Rejected("arguments: must be keyword arguments; in a chain, sign with .si(…)")
    message: Message = parse(operation.message, delivery.arguments)
    if message.tenant not in tenants:
        raise Rejected("tenant: is not a tenant of this installation")
    if delivery.queue != DEFAULT_QUEUE and message.tenant != delivery.tenant:
        raise Rejected(f"tenant: does not own the queue {delivery.queue}")
    return message


def moment_of(header: Any) -> float | None:
    """Return the epoch seconds that a producer's header says, None where they make no sense."""
    if isinstance(header, bool) or not isinstance(header, int | float):
        return None
    return float(header) if -_LONGEST_AGO < header - time.time() < _LONGEST_AGO else None


def operation_id(message: Message, delivery: Delivery) -> str:
    """Return the idempotency key: the message's own, else the Celery message's id.

    Raises `Rejected` where the latter cannot serve as one.
    """
    if message.operation_id:
        return message.operation_id
    try:
        return _ID.validate_python(delivery.message_id)
    except ValidationError:
        raise Rejected("id: the Celery message's id is no valid operation id") from None
