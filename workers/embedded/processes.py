"""A tree of child processes that never outlives the process that made it.

Every child runs on a leash (see `leash`) in a session of its own: a Ctrl-C on the terminal reaches
only the parent, and a parent that is killed takes all children along.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tasks.errors import WorkerError
from workers.embedded import leash

T = TypeVar("T")

#: Seconds a child has to end by itself once it is asked to.
GRACE = 5.0
LAST_LINES = 15


class ProcessFailed(WorkerError):
    """Raised when a child ended by itself or was not ready in time, with its last log lines."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A running child; everything it says goes to `log`."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def last_lines(self) -> str:
        return "\n".join(self.said().splitlines()[-LAST_LINES:])

    def release(self) -> None:
        """Ask it to end; its leash makes it, where it does not."""
        if self.process.stdin:
            self.process.stdin.close()

    def wait(self) -> None:
        """Wait until it has ended."""
        try:
            self.process.wait(GRACE + 5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ProcessTree:
    """Children that write their logs into `folder` and end with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start a child in `folder`, so that no `.env` file of the caller is read."""
        path = self.folder / f"{name}.log"
        on_leash = [sys.executable, "-I", "-S", str(leash.__file__), str(GRACE), *command]
        with path.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own programs
                on_leash,
                cwd=self.folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        child = Child(name=name, log=path, process=process)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Raise `ProcessFailed` where a child has ended."""
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise ProcessFailed(
                    f"{child.name} ended with code {code}; it said last:\n{child.last_lines()}"
                )

    def wait_for(self, child: Child, ready: Callable[[], T | None], seconds: float) -> T:
        """Return what `ready` answers once it is true; raise `ProcessFailed` after `seconds`."""
        deadline = time.monotonic() + seconds
        while not (answer := ready()):
            self.check()
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"{child.name} is not ready after {seconds:.0f} s; it said last:\n"
                    f"{child.last_lines()}"
                )
            time.sleep(0.05)
        return answer

    def stop(self) -> None:
        """End all children: the one that was started first, which the others need, at last."""
        for some in (self.children[1:], self.children[:1]):
            for child in some:
                child.release()
            for child in some:
                child.wait()
        self.children.clear()
