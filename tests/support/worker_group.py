"""A worker as the head of a process group, to be killed or frozen with all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_until
from tests.support.worker_process import START_SECONDS, STOP_SECONDS, WorkerProcess, command

#: The pools that a worker may carry messages out in.
POOLS = ("threads", "processes")


class WorkerGroup(WorkerProcess):
    """A running worker and the processes of its pool."""

    @property
    def name(self) -> str:
        return self.log.stem

    def is_up(self) -> bool:
        """Return whether it has not ended."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End all its processes by SIGKILL, in the middle of whatever they do."""
        self.signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def wait_until_ready(self) -> None:
        wait_until(self.is_ready, START_SECONDS, f"{self.name} is ready")

    def end(self) -> None:
        """End it, if it has not ended, as its operator would; by force, if it hangs."""
        if not self.is_up():
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def start(
    variables: Mapping[str, str], folder: Path, *options: str, app: str = "workers.app"
) -> WorkerGroup:
    """Start a worker of `app`, with `folder` as its working directory."""
    arguments = command(*options, app=app)
    log = folder / f"{arguments[arguments.index('-n') + 1]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=output,
            stderr=output,
            process_group=0,
        )
    return WorkerGroup(process=process, log=log)


@contextmanager
def groups(
    variables: Mapping[str, str], folder: Path, *pools: str, options: Sequence[str] = ()
) -> Iterator[list[WorkerGroup]]:
    """Run a worker for each of `pools` until the block ends; all are ready when it begins."""
    started = [start(variables, folder, "-P", pool, *options) for pool in pools]
    try:
        for each in started:
            each.wait_until_ready()
        yield started
    finally:
        for each in started:
            each.end()
