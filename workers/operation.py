"""Runs any operation: accept, claim, lock, carry out; then end it or put it back.

This is the only place that acts on an error; `workers.policy` decides what to do about it. It knows
no Celery: `workers.consuming.task` hands it deliveries and carries out what it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

from tasks.apis.wire import Wire
from tasks.errors import (
    Conflict,
    Failed,
    OperationError,
    Postponed,
    RateLimited,
    Rejected,
    Unsupported,
    WorkerError,
)
from tasks.messages import INTERNAL, Message
from tasks.operations import FollowUp, Operation, Outcome
from workers import policy
from workers.auditing.audit import Command
from workers.consuming.delivery import Delivery, accept, operation_id
from workers.metrics.counts import Counts
from workers.metrics.reasons import word_for
from workers.outside import hooks
from workers.outside.calls import CountedCalls
from workers.outside.systems import Connections
from workers.remembering.ledger import Ended, Ledger, fingerprint
from workers.remembering.locks import Locks
from workers.remembering.records import Records, Run
from workers.store import INFRASTRUCTURE
from workers.watching.telemetry import log
from workers.watching.tracing import UNTRACED, Span, Tracer

#: How an operation ends without success, by status.
ENDINGS: Mapping[str, type[OperationError]] = {
    error.status: error for error in (Rejected, Conflict, Unsupported, Failed)
}

#: Returns the commands that send a message to its tenant's queue. Delay in seconds.
Sending = Callable[[Message, float], list[Command]]


class PutBack(WorkerError):
    """Raised to have the message delivered again after `wait` seconds.

    `kind` is a word for the reason, to be counted.
    """

    status = "put_back"

    def __init__(self, wait: float, reason: str, kind: str) -> None:
        super().__init__(wait, reason, kind)
        self.wait = wait
        self.reason = reason
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs operations with the collaborators of this process."""

    ledger: Ledger
    locks: Locks
    records: Records
    connections: Mapping[str, Connections]
    sending: Sending
    wire: Wire
    counts: Counts = field(default_factory=Counts, repr=False)
    rules: tuple[policy.Rule, ...] = policy.POLICY
    random: Random = field(default_factory=Random)
    tracer: Tracer = field(default=UNTRACED, repr=False)

    def run(self, operation: Operation[Any], delivery: Delivery) -> dict[str, Any]:
        """Carry out the message that was delivered and return its result.

        Raises the `OperationError` that it ended with, once that is recorded, or `PutBack`. Errors
        of the broker pass through: the message has to be delivered again.
        """
        names = delivery.names(self.connections)
        with self.tracer.attempt(operation.task, delivery.links, **names) as span:
            try:
                result = self._attempt(operation, delivery, span)
            except (OperationError, PutBack) as error:
                span.tell(status=error.status)
                raise
            span.tell(status=result["status"])
            return result

    def pause(self, tenant: str, error: RateLimited) -> None:
        """Let nobody call for as long as the server says, and count and tell that."""
        seconds = policy.pause_after(error, policy.rule_for(error, self.rules))
        by_server = error.retry_after is not None
        self.connections[tenant].pause(error.system, seconds, by_server=by_server)
        self.counts.paused(tenant, error.system)
        log.info("system.paused", tenant=tenant, system=error.system, seconds=seconds)

    def _attempt(self, operation: Operation[Any], delivery: Delivery, span: Span) -> dict[str, Any]:
        try:
            run = self._begin(operation, delivery)
        except Postponed as error:
            raise PutBack(error.wait, str(error), error.kind) from None
        except Rejected as error:
            self.records.refused(operation, delivery, delivery.owner(self.connections), error)
            raise
        if isinstance(run, Ended):
            return self._repeated(operation, run)
        span.tell(attempts=run.claim.attempts)
        return self._carry_out(run)

    def _begin(self, operation: Operation[Any], delivery: Delivery) -> Run | Ended:
        message = accept(operation, delivery, self.connections)
        key = operation_id(message, delivery)
        # A parent that is repeated may send a follow-up again that has counted further.
        asked = {} if message.task in INTERNAL else message.arguments()
        digest = fingerprint(operation.task, asked)
        owner = uuid4().hex
        claim = self.ledger.claim(
            message.tenant,
            key,
            owner,
            digest,
            delivery.message_id,
            delivery.tag,
            operation.locks(message) if delivery.tag else (),
        )
        if isinstance(claim, Ended):
            return claim
        calls = CountedCalls(intend=partial(self.ledger.intend, claim))
        return Run(
            operation=operation, delivery=delivery, message=message, claim=claim, calls=calls
        )

    def _repeated(self, operation: Operation[Any], ended: Ended) -> dict[str, Any]:
        """Answer as the first time: return the result, or raise the error it ended with."""
        result = dict(ended.result)
        self.counts.repeated(result["tenant"], operation.task)
        log.info("operation.repeated", status=result["status"])
        if result["status"] in ENDINGS:
            raise ENDINGS[result["status"]](result["detail"]["reason"])
        return result

    def _carry_out(self, run: Run) -> dict[str, Any]:
        try:
            # The locks of a message under a lease are taken and freed with it.
            resources = () if run.claim.tag else run.operation.locks(run.message)
            with self.locks.held(run.claim.tenant, resources):
                outcome = self._use(run)
                result = self._finish(run, outcome)
        except INFRASTRUCTURE:
            self._let_go(run)
            raise
        except Exception as error:  # noqa: BLE001  # whatever it was, the policy decides
            raise self._after(run, error) from None
        self._announce(run, outcome)
        return result

    def _let_go(self, run: Run) -> None:
        """Give the claim up, if the broker allows: else its lease has to end first."""
        try:
            self.ledger.put_back(run.claim, touched=run.calls.touched)
        except INFRASTRUCTURE:
            log.warning("claim.kept")

    def _use(self, run: Run) -> Outcome:
        connections = self.connections[run.claim.tenant]
        expected = run.operation.calls(run.message)
        with connections.open(run.claim, run.correlation_id, run.calls, expected) as systems:
            run.operation.check(run.message, systems.genesys.capabilities)
            outcome = run.operation.use_case(run.message, systems)
        # What is so already, after an earlier run that never learned what came of its write, is
        # the work of this operation.
        done = outcome.status == "noop" and run.claim.unfinished is not None
        return replace(outcome, status="done") if done else outcome

    def _finish(self, run: Run, outcome: Outcome) -> dict[str, Any]:
        """Record the end and send what follows, in one step."""
        following = [command for each in outcome.follow_ups for command in self._sending(run, each)]
        return self.records.succeeded(run, outcome, following)

    def _sending(self, run: Run, follow_up: FollowUp) -> list[Command]:
        name = follow_up.id_after(run.claim.operation_id)
        named = follow_up.message.model_copy(
            update={"operation_id": name, "correlation_id": run.correlation_id}
        )
        return self.sending(named, follow_up.delay)

    def _after(self, run: Run, error: Exception) -> Exception:
        """Act on `error` as the policy says, and return what is to be raised."""
        if isinstance(error, RateLimited):
            self.pause(run.claim.tenant, error)
        if policy.is_fault(error, self.rules):
            self.counts.fault("unexpected")
        decision = policy.decide(
            error,
            tries=run.claim.tries,
            elapsed=run.claim.now() - run.claim.first_at,
            random=self.random,
            rules=self.rules,
        )
        if isinstance(decision, policy.End):
            try:
                self.records.failed(run, decision.error, error)
            except Postponed as lost:
                return PutBack(lost.wait, str(lost), lost.kind)
            return decision.error
        self.ledger.put_back(run.claim, cause=decision.cause, touched=run.calls.touched)
        reason = policy.say(error)
        log.info("operation.put_back", wait=round(decision.wait, 3), reason=reason)
        return PutBack(decision.wait, reason, word_for(error))

    def _announce(self, run: Run, outcome: Outcome) -> None:
        urls = self.connections[run.claim.tenant].tenant.hooks.merged
        if outcome.status == "done" and outcome.announcement and urls:
            facts = {"operation_id": run.claim.operation_id, "tenant": run.claim.tenant}
            told = {**facts, **outcome.announcement}
            answers = hooks.announce(self.wire, urls, told, run.correlation_id)
            self.records.hooks_told(run, answers)
