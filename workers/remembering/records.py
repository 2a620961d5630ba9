"""What is kept of an operation's end: ledger entry, audit record and dead letter, in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.errors import OperationError
from tasks.messages import Message
from tasks.operations import Operation, Outcome
from workers.auditing.audit import Audit, Command
from workers.consuming.delivery import Delivery
from workers.letters.dead_letters import DeadLetter, DeadLetters, last_response
from workers.limits.rates import split_queue
from workers.metrics.counts import Counts
from workers.outside.calls import CountedCalls
from workers.remembering.findings import counting
from workers.remembering.ledger import Claim, Ledger, entry_of, taken_over
from workers.store import Store
from workers.watching.telemetry import log


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
        return self.delivery.correlation_id


@dataclass(frozen=True, kw_only=True)
class Records:
    """Writes how operations end. All of one end is written in one transaction, or none of it."""

    store: Store
    ledger: Ledger
    audit: Audit
    dead_letters: DeadLetters
    counts: Counts = field(default_factory=Counts, repr=False)

    def succeeded(
        self, run: Run, outcome: Outcome, following: Iterable[Command] = ()
    ) -> dict[str, Any]:
        """Record a good end, send what is `following`, and return the operation's result.

        Raises `Postponed` where another run owns the operation by now; nothing is recorded then.
        """
        result = self._result(run, outcome.status, outcome.detail)
        record = {**self._facts(run, result), "detail": outcome.detail, **outcome.record}
        ending = self.ledger.ending(run.claim, result, final=True)
        counts = counting(run.claim.tenant, outcome.findings)
        self._end(run, record, [*ending, *counts, *following])
        self._count(run, outcome)
        found = {"findings": dict(outcome.findings)} if outcome.findings else {}
        log.info("operation.ended", **self._facts(run, result), **found)
        return result

    def failed(self, run: Run, error: OperationError, cause: Exception | None = None) -> None:
        """Record a bad end, which `cause` led to, and park the message.

        Raises `Postponed` as `succeeded` does.
        """
        result = self._result(run, error.status, {"reason": str(error)})
        record = {**self._facts(run, result), "reason": str(error)}
        letter = replace(
            self._letter(run.operation, run.delivery, run.claim.tenant, error),
            attempts=run.claim.attempts,
            last_response=last_response(cause or error),
        )
        ending = self.ledger.ending(run.claim, result, final=False)
        parking = self.dead_letters.parking(letter, self._payload(run.delivery))
        self._end(run, record, [*ending, *parking])
        self._count_parked(run.operation, run.delivery, run.claim.tenant, error)
        log.warning("operation.ended", **record)

    def _end(self, run: Run, record: Mapping[str, Any], commands: Iterable[Command]) -> None:
        claim = run.claim
        kept = self.audit.write(
            claim.tenant, record, commands=commands, entry=entry_of(claim), owner=claim.owner
        )
        if not kept:
            raise taken_over()

    def refused(
        self, operation: Operation[Any], delivery: Delivery, tenant: str, error: OperationError
    ) -> None:
        """Record a message of `tenant` that was never claimed, and park it."""
        letter = self._letter(operation, delivery, tenant, error)
        record = {"message_id": delivery.message_id, **vars(letter)}
        parking = self.dead_letters.parking(letter, self._payload(delivery))
        self.audit.write(tenant, record, commands=parking)
        self._count_parked(operation, delivery, tenant, error)
        log.warning("operation.refused", **record)

    def _count(self, run: Run, outcome: Outcome) -> None:
        """Count a good end, and how long it took since what is known of its beginning."""
        tenant, task, now = run.claim.tenant, run.operation.task, run.claim.now()
        self.counts.ended(tenant, task, outcome.status)
        self.counts.found(tenant, outcome.findings)
        occurred_at = getattr(run.message, "occurred_at", None)
        self.counts.took(tenant, task, "claim", now - run.claim.first_at)
        if run.delivery.enqueued_at is not None:
            self.counts.took(tenant, task, "enqueue", now - run.delivery.enqueued_at)
        if occurred_at is not None:
            self.counts.took(tenant, task, "event", now - occurred_at.timestamp())

    def _count_parked(
        self, operation: Operation[Any], delivery: Delivery, tenant: str, error: OperationError
    ) -> None:
        self.counts.ended(tenant, operation.task, error.status)
        self.counts.parked(tenant, split_queue(delivery.queue)[0], error.status)

    def hooks_told(self, run: Run, answers: list[str]) -> None:
        """Record how the tenant's hooks answered."""
        about = {
            "task": run.operation.task,
            "operation_id": run.claim.operation_id,
            "correlation_id": run.correlation_id,
        }
        record = {"at": self.store.now(), **about, "hooks": answers}
        self.audit.write(run.claim.tenant, record)

    def _result(self, run: Run, status: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "operation_id": run.claim.operation_id,
            "status": status,
            "tenant": run.claim.tenant,
            "detail": dict(detail),
            "attempts": run.claim.attempts,
            "latency_ms": round((run.claim.now() - run.claim.first_at) * 1000),
        }

    def _facts(self, run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return what every record of an end says."""
        return {
            "at": run.claim.now(),
            "task": run.operation.task,
            **{name: value for name, value in result.items() if name != "detail"},
            "correlation_id": run.correlation_id,
            "calls": run.calls.made,
            **run.operation.subject(run.message),
        }

    def _letter(
        self,
        operation: Operation[Any],
        delivery: Delivery,
        tenant: str,
        error: OperationError,
    ) -> DeadLetter:
        return DeadLetter(
            id=f"{tenant}:{delivery.message_id}",
            task=operation.task,
            queue=delivery.queue,
            tenant=tenant,
            status=error.status,
            reason=str(error),
            attempts=0,
            at=self.store.now(),
            operation_id=delivery.operation_id,
            correlation_id=delivery.correlation_id,
        )

    def _payload(self, delivery: Delivery) -> bytes:
        """Return the message as it stood on its queue, or what was delivered of it."""
        return self.dead_letters.raw(delivery.tag) or delivery.payload
