"""The Celery side of an operation: deliveries in; results, retries and failures out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import Retry
from structlog.contextvars import bound_contextvars

from tasks.errors import OperationError
from tasks.operations import Operation
from workers.consuming.delivery import Delivery, moment_of
from workers.limits.rates import DEFAULT_QUEUE
from workers.operation import PutBack, Runner
from workers.store import INFRASTRUCTURE
from workers.watching.telemetry import describe, log
from workers.watching.tracing import links

#: Seconds after which a message comes back that met a fault of the broker.
BROKER_WAIT = 5.0


class OperationTask(Task):  # type: ignore[type-arg]  # Celery's Task is generic in its stubs only
    """Runs one operation for each message of its task."""

    abstract = True
    Request = "workers.consuming.masking:MaskedRequest"
    acks_late = True
    reject_on_worker_lost = True
    max_retries = None
    typing = False
    throws = (OperationError,)

    def __init__(self, operation: Operation[Any], runner: Callable[[], Runner]) -> None:
        self.name = operation.task
        self.__doc__ = operation.message.__doc__
        self.operation = operation
        self._runner = runner

    def run(self, /, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Carry the message out and return its result; see `Runner.run`.

        Raises `Retry` to have the message come back; `MaskedRequest` puts it back on its claim.
        """
        runner = self._runner()
        delivery = self._delivery(args, kwargs)
        with bound_contextvars(task=self.name, **delivery.names(runner.connections)):
            return self._run(runner, delivery)

    def _delivery(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Delivery:
        return Delivery(
            message_id=str(self.request.id),
            queue=(self.request.delivery_info or {}).get("routing_key") or DEFAULT_QUEUE,
            arguments=kwargs,
            positional=args,
            tag=(self.request.properties or {}).get("delivery_tag", ""),
            enqueued_at=moment_of(self.request.get("enqueued_at")),
            links=links(self.request.get),
        )

    def _run(self, runner: Runner, delivery: Delivery) -> dict[str, Any]:
        try:
            return runner.run(self.operation, delivery)
        except PutBack as again:
            raise _again(runner, delivery, self.name, again) from None
        except INFRASTRUCTURE as error:
            log.error("broker.failed", error=describe(error))
            runner.counts.fault("broker")
            failed = PutBack(BROKER_WAIT, "the broker failed", "broker")
            raise _again(runner, delivery, self.name, failed) from None
        except OperationError:
            raise
        except Exception as error:  # noqa: BLE001  # Celery would show its text, and drop the message
            log.error("worker.fault", error=describe(error))
            runner.counts.fault("unexpected")
            failed = PutBack(BROKER_WAIT, "the worker failed", "fault")
            raise _again(runner, delivery, self.name, failed) from None


def _again(runner: Runner, delivery: Delivery, task: str, again: PutBack) -> Retry:
    """Return what has the message come back, once that is counted."""
    runner.counts.put_back(delivery.owner(runner.connections), task, again.kind)
    seconds: Any = again.wait
    return Retry(again.reason, when=seconds)
