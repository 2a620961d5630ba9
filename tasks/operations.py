"""What an operation is: a message, a use case, the resources it locks.

A use case is a plain function from a validated message and the outside systems it needs to an
`Outcome`. It knows no Celery, no Redis and no HTTP; `workers.operation` runs any of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from tasks.apis.capabilities import Capabilities
from tasks.apis.systems import Systems
from tasks.compact_json import Json
from tasks.fields import MAX_ID
from tasks.messages import Message

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """A message to be sent when the operation has ended; `delay` is in seconds.

    Its operation id is the parent's with `suffix` appended, so that a repeated parent sends the
    same operation again and not a second one. `operation_id` is one that the use case has chosen.
    """

    message: Message
    suffix: str
    delay: float = 0.0
    operation_id: str | None = None

    def id_after(self, parent: str) -> str:
        """Return its operation id, where `parent` is the parent's."""
        return self.operation_id or child_id(parent, self.suffix)


def child_id(parent: str, suffix: str) -> str:
    """Return `parent:suffix`, shortened by digests where that is too long for an id."""
    if len(parent) + 1 + len(suffix) > MAX_ID:
        parent = _digest(parent)
    room = MAX_ID - len(parent) - 1
    return f"{parent}:{suffix if len(suffix) <= room else _digest(suffix)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an operation ended well.

    `detail` goes into the result, `record` into the audit record besides it, `announcement` to the
    tenant's hooks, `findings` (count by kind of personal data) to the counts of the tenant. None of
    them holds personal data.
    """

    status: Literal["done", "accepted", "noop"] = "done"
    detail: Mapping[str, Json] = field(default_factory=dict)
    record: Mapping[str, Json] = field(default_factory=dict)
    follow_ups: tuple[FollowUp, ...] = ()
    announcement: Mapping[str, Json] | None = None
    findings: Mapping[str, int] = field(default_factory=dict)


def _one_call(_: Message) -> int:
    return 1


def _nothing(_: Message) -> Mapping[str, Json]:
    return {}


def _possible(_: Message, __: Capabilities) -> None:
    return


def _no_locks(_: Message) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[M]):
    """One task: its message model, the use case that carries it out, and what it locks.

    `locks` names the resources (within the tenant) on which operations run one at a time; `calls`
    is how many calls to Genesys it usually makes, which its budget has to have left at the start;
    `subject` is what the audit record says of the message, however it ends. `check` raises
    `Unsupported` or `Rejected` where the tenant's API contract cannot carry the message out, and
    says what it can do instead; it runs before the use case.
    """

    message: type[M]
    use_case: Callable[[M, Systems], Outcome]
    locks: Callable[[M], tuple[str, ...]] = _no_locks
    calls: Callable[[M], int] = _one_call
    subject: Callable[[M], Mapping[str, Json]] = _nothing
    check: Callable[[M, Capabilities], None] = _possible

    @property
    def task(self) -> str:
        return self.message.task

    @property
    def queue(self) -> str:
        return self.message.queue
