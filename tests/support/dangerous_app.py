"""The workers' app with a task more, which ends the process that carries it out."""

from __future__ import annotations

import os
import signal
import time

from tasks.apis.systems import Systems
from tasks.messages import Message
from tasks.operations import Operation, Outcome
from workers.app import from_environment
from workers.consuming.task import OperationTask


class EndWorker(Message):
    """End the worker by SIGKILL after so many seconds."""

    task = "end_worker"
    queue = "attributes"

    seconds: float


def end_worker(message: EndWorker, systems: Systems) -> Outcome:
    time.sleep(message.seconds)
    os.kill(os.getpid(), signal.SIGKILL)
    return Outcome()


def __getattr__(name: str) -> object:
    """Make `app` when a worker asks for it: tests import the message alone."""
    if name != "app":
        raise AttributeError(name)
    app = from_environment()
    operation = Operation(message=EndWorker, use_case=end_worker)
    app.register_task(OperationTask(operation, lambda: app.services.runner))
    globals()[name] = app
    return app
