"""Workers forked from one process that has imported everything, and forked again when they die.

`python -m tests.support.forked_workers APP COUNT` runs until it is terminated. A worker carries out
one message at a time, and is up again within a blink.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from celery.bin.celery import celery
from celery.concurrency.thread import TaskPool
from celery.worker import WorkController

__all__ = ("TaskPool", "WorkController")

STOP_SECONDS = 30

OPTIONS = ("-P", "threads", "-c", "1", "--without-mingle", "--without-gossip")


@dataclass(frozen=True, kw_only=True)
class ForkedWorkers:
    """Running workers, and the log that they share."""

    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """See that none has ended by itself."""
        assert self.process.poll() is None, self.log.read_text("utf-8")


@contextmanager
def forked_workers(
    variables: Mapping[str, str], folder: Path, app: str, count: int
) -> Iterator[ForkedWorkers]:
    """Run `count` workers of `app` until the block ends."""
    log = folder / f"{app.rpartition('.')[2]}.log"
    command = [sys.executable, "-m", "tests.support.forked_workers", app, str(count)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=output, stderr=output
        )
    workers = ForkedWorkers(process=process, log=log)
    try:
        yield workers
        workers.check()
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def run(app: str, count: int) -> None:
    """Keep `count` workers running until SIGTERM, then end them as their operator would."""
    importlib.import_module(app)
    importlib.import_module("workers.consuming.consumer")
    signal.signal(signal.SIGTERM, _stop)
    places: dict[int, int] = {}
    try:
        for place in range(count):
            _fork(app, place, places)
        while True:
            dead, status = os.wait()
            if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
                raise SystemExit("a worker has ended by itself")
            _fork(app, places.pop(dead), places)
    finally:
        _end(places)


def _end(processes: Iterable[int]) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGTERM)
    for each in processes:
        with suppress(ChildProcessError):
            os.waitpid(each, 0)


def _stop(*_: object) -> None:
    raise SystemExit


def _fork(app: str, place: int, places: dict[int, int]) -> None:
    """Start a worker and note its process; SIGTERM has to wait until that is done."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.fork()
    if child == 0:
        _work(app, place)
    places[child] = place
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _work(app: str, place: int) -> None:
    """Be a worker, and end without any of the parent's duties."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        celery.main(args=["-A", app, "worker", "-n", f"forked-{place}@localhost", *OPTIONS])
    finally:
        os._exit(0)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
