"""The Celery side of an operation: deliveries in; results, retries and failures out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import Reject

from tasks.errors import OperationError
from tasks.operations import Operation
from workers.delivery import Delivery
from workers.masking import mask_arguments
from workers.operation import PutBack, Runner
from workers.rates import DEFAULT_QUEUE
from workers.store import INFRASTRUCTURE
from workers.telemetry import describe, log

#: Stock Celery keeps a message that is not due in the worker; none stays there longer than this.
LONGEST_COUNTDOWN = 300.0

#: Seconds after which a message comes back that met a fault of the broker.
BROKER_WAIT = 5.0


class OperationTask(Task):  # type: ignore[type-arg]  # Celery's Task is generic in its stubs only
    """Runs one operation for each message of its task."""

    abstract = True
    Request = "workers.masking:MaskedRequest"
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
        """Carry the message out and return its result; see `Runner.run`."""
        delivery = Delivery(
            message_id=str(self.request.id),
            queue=(self.request.delivery_info or {}).get("routing_key") or DEFAULT_QUEUE,
            arguments=kwargs,
            positional=args,
        )
        try:
            return self._runner().run(self.operation, delivery)
        except PutBack as again:
            raise self._later(again.wait, again.reason) from None
        except INFRASTRUCTURE as error:
            log.error("broker.failed", error=describe(error))
            raise self._later(BROKER_WAIT, "the broker failed") from None
        except OperationError:
            raise
        except Exception as error:  # noqa: BLE001  # Celery would show its text, and drop the message
            log.error("worker.fault", error=describe(error))
            raise self._later(BROKER_WAIT, "the worker failed") from None

    def _later(self, wait: float, reason: str) -> Exception:
        """Put the message back on its queue, due in `wait` seconds."""
        shown: Any = {"kwargsrepr": mask_arguments(self.request.kwargs)}
        try:
            return self.retry(countdown=min(wait, LONGEST_COUNTDOWN), throw=False, **shown)
        except (Reject, *INFRASTRUCTURE):
            # Celery would drop a message whose retry cannot be published.
            return Reject(reason, requeue=True)
