"""What is kept of an operation's end: ledger entry, audit record and dead letter, in one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import OperationError
from tasks.messages import Message
from tasks.operations import Operation, Outcome
from workers.audit import Audit
from workers.calls import CountedCalls
from workers.dead_letters import DeadLetter, DeadLetters
from workers.delivery import Delivery
from workers.ledger import Claim, Ledger
from workers.store import Store
from workers.telemetry import log


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of an operation: what was delivered, understood and claimed."""

    operation: Operation[Any]
    delivery: Delivery
    message: Message
    claim: Claim
    calls: CountedCalls = field(default_factory=CountedCalls)

    @property
    def correlation_id(self) -> str:
        return self.message.correlation_id or self.claim.operation_id


@dataclass(frozen=True, kw_only=True)
class Records:
    """Writes how operations end. All of one end is written in one transaction, or none of it."""

    store: Store
    ledger: Ledger
    audit: Audit
    dead_letters: DeadLetters

    def succeeded(self, run: Run, outcome: Outcome) -> dict[str, Any]:
        """Record a good end and return the operation's result."""
        result = self._result(run, outcome.status, outcome.detail)
        record = {**self._facts(run, result), "detail": outcome.detail, **outcome.record}
        with self._transaction() as transaction:
            self.ledger.end(run.claim, result, final=True, within=transaction)
            self.audit.append(run.claim.tenant, record, within=transaction)
        log.info("operation.ended", **self._facts(run, result))
        return result

    def failed(self, run: Run, error: OperationError) -> None:
        """Record a bad end, and park the message."""
        result = self._result(run, error.status, {"reason": str(error)})
        record = {**self._facts(run, result), "reason": str(error)}
        attempts = run.claim.attempts
        letter = self._letter(run.operation, run.delivery, run.claim.tenant, error, attempts)
        with self._transaction() as transaction:
            self.ledger.end(run.claim, result, final=False, within=transaction)
            self.audit.append(run.claim.tenant, record, within=transaction)
            self.dead_letters.park(letter, run.delivery.payload, within=transaction)
        log.warning("operation.ended", **record)

    def refused(
        self, operation: Operation[Any], delivery: Delivery, tenant: str, error: OperationError
    ) -> None:
        """Record a message of `tenant` that was never claimed, and park it."""
        letter = self._letter(operation, delivery, tenant, error, 0)
        record = {"message_id": delivery.message_id, **vars(letter)}
        with self._transaction() as transaction:
            self.audit.append(tenant, record, within=transaction)
            self.dead_letters.park(letter, delivery.payload, within=transaction)
        log.warning("operation.refused", **record)

    def hooks_told(self, run: Run, answers: list[str]) -> None:
        """Record how the tenant's hooks answered."""
        about = {"task": run.operation.task, "operation_id": run.claim.operation_id}
        with self._transaction() as transaction:
            record = {"at": self.store.now(), **about, "hooks": answers}
            self.audit.append(run.claim.tenant, record, within=transaction)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self.store.redis.pipeline(transaction=True) as transaction:
            yield transaction
            transaction.execute()

    def _result(self, run: Run, status: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "operation_id": run.claim.operation_id,
            "status": status,
            "tenant": run.claim.tenant,
            "detail": dict(detail),
            "attempts": run.claim.attempts,
            "latency_ms": round((self.store.now() - run.claim.first_at) * 1000),
        }

    def _facts(self, run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return what every record of an end says."""
        return {
            "at": self.store.now(),
            "task": run.operation.task,
            **{name: value for name, value in result.items() if name != "detail"},
            "correlation_id": run.correlation_id,
            "calls": run.calls.made,
        }

    def _letter(
        self,
        operation: Operation[Any],
        delivery: Delivery,
        tenant: str,
        error: OperationError,
        attempts: int,
    ) -> DeadLetter:
        return DeadLetter(
            id=f"{tenant}:{delivery.message_id}",
            task=operation.task,
            queue=delivery.queue,
            tenant=tenant,
            status=error.status,
            reason=str(error),
            attempts=attempts,
            at=self.store.now(),
        )
