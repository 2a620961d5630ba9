"""A command of this project in a process of its own, as a test starts, watches and kills it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

#: On a machine that is busy.
START_SECONDS = 90
STOP_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Program:
    """A running `genesys-workers …`; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Return what it has said so far."""
        return self.log.read_text("utf-8")

    def says(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Wait until it has said something that fits `pattern`, and return the match."""
        wait_until(lambda: self._match(pattern), seconds, f"the program says {pattern}")
        match = self._match(pattern)
        assert match
        return match

    def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def end(self) -> int:
        """End it by TERM, and return its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def memory(self) -> int:
        """Return the bytes of memory that it holds (resident set size)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kilobytes.split()[1]) * 1024

    def _match(self, pattern: str) -> re.Match[str] | None:
        found = re.search(pattern, self.said(), re.MULTILINE)
        assert found or self.process.poll() is None, self.said()
        return found


def start(arguments: list[str], variables: Mapping[str, str], log: Path) -> Program:
    """Start a command in the folder of its `log`, with `variables` in its environment."""
    command = [sys.executable, "-m", "workers.cli", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env={**os.environ, **variables, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
        )
    return Program(process=process, log=log)


@contextmanager
def running(
    arguments: list[str], variables: Mapping[str, str], folder: Path, name: str
) -> Iterator[Program]:
    """Run a command until the block ends, and then end it."""
    program = start(arguments, variables, folder / f"{name}.log")
    try:
        yield program
    finally:
        program.process.terminate()
        try:
            program.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            raise
