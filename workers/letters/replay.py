"""Has dead letters carried out after all: each as a message of its own, for the same operation.

The message goes the normal way, on its tenant's queue. Its Celery id is another one, so that an
operation that has failed begins anew and a revocation of the old one does not hold; its
operation id stays, so that an operation which has ended well meanwhile answers what it has done.
It goes on with its chain, but is no part of a group any more, and neither due nor over at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tasks.catalogue import OPERATIONS
from tasks.errors import Rejected, SettingsError
from tasks.messages import Message
from workers.auditing.audit import Command
from workers.consuming.delivery import Delivery, accept, operation_id
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.kept_message import KeptMessage
from workers.limits.rates import tenant_queue
from workers.sending.outbox import Outbox

_OPERATIONS = {operation.task: operation for operation in OPERATIONS}

#: What Celery does after the task that a message on its own can still have done.
_GOES_ON = ("callbacks", "errbacks", "chain")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What becomes of a letter: the queue and the ids of its new message, or a `refusal`.

    One that is discarded has neither.
    """

    letter: DeadLetter
    refusal: str = ""
    queue: str = ""
    operation_id: str = ""
    message_id: str = ""
    commands: tuple[Command, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Plans how letters are replayed, for the `tenants` of this installation."""

    letters: DeadLetters
    tenants: Collection[str]
    outbox: Outbox

    def plan(self, letter: DeadLetter) -> Plan:
        """Return what would be done about `letter`; nothing is done yet.

        It is refused where no worker could read it, where its task or tenant is not known here,
        and where its arguments still break a rule.
        """
        try:
            kept = self.letters.message(letter.id)
            message = self._accepted(letter, kept)
        except (Rejected, SettingsError) as error:
            return Plan(letter=letter, refusal=str(error))
        message_id = str(uuid4())
        commands = self.outbox.sending(
            message,
            name=message_id,
            ignore_result=kept.ignore_result,
            **_going_on(kept.embed),
        )
        return Plan(
            letter=letter,
            queue=tenant_queue(message.queue, message.tenant),
            operation_id=str(message.operation_id),
            message_id=message_id,
            commands=tuple(commands),
        )

    def _accepted(self, letter: DeadLetter, kept: KeptMessage) -> Message:
        """Return the message as a worker would accept it, with the id of its operation."""
        operation = _OPERATIONS.get(kept.task or letter.task)
        if operation is None:
            raise Rejected("task: is not a task of this installation")
        delivery = Delivery(
            message_id=kept.id or letter.message_id,
            queue=letter.queue,
            arguments=kept.arguments,
            positional=kept.positional,
        )
        message = accept(operation, delivery, self.tenants)
        return message.model_copy(update={"operation_id": operation_id(message, delivery)})


def _going_on(embed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: embed[name] for name in _GOES_ON if name in embed}
