"""A worker in a process of its own, as a test starts, watches and kills it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.support.waiting import wait_until

#: Several of them start and end at once, on a machine that is busy.
START_SECONDS = 90
STOP_SECONDS = 60

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class WorkerProcess:
    """A running `celery -A workers.app worker`; what it logs goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Return what it has logged."""
        return self.log.read_text("utf-8")

    def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def memory(self) -> int:
        """Return the bytes of memory that it holds (resident set size)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kilobytes.split()[1]) * 1024

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return " ready." in self.said()


def command(*options: str, app: str = "workers.app") -> list[str]:
    """Return what starts a worker of `app` with a few threads and a name of its own.

    It asks no others what they know, which takes a second: nothing here depends on that.
    """
    name = f"w{os.getpid()}-{next(_numbers)}@localhost"
    celery = [sys.executable, "-m", "celery", "-A", app, "worker"]
    return [*celery, "-n", name, "-P", "threads", "-c", "4", "--without-mingle", *options]


@contextmanager
def running(variables: Mapping[str, str], folder: Path, *options: str) -> Iterator[WorkerProcess]:
    """Run a worker, with `folder` as its working directory, until the block ends."""
    arguments = command(*options)
    log = folder / f"{arguments[arguments.index('-n') + 1]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, cwd=folder, env={**os.environ, **variables}, stdout=output, stderr=output
        )
    worker = WorkerProcess(process=process, log=log)
    try:
        wait_until(worker.is_ready, START_SECONDS, "the worker is ready")
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            raise
