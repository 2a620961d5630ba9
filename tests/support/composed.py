"""The services of docker-compose.yml as processes of this machine, on loopback ports of their own.

Their commands, environments and health checks are the file's, with the addresses and folders of
containers replaced by others.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import compose
from tests.support.compose import DEPLOY, Service
from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST, free_port
from workers.embedded.redis_server import find

START_SECONDS, STOP_SECONDS = 60, 30

#: What ports are, as far as they stand in commands, environments and health checks.
_PORT = re.compile(r"\b(8080|8090|9090|9470|9471|5555)\b")

#: Where a container of a service keeps what it writes.
_WRITTEN = ("/var/lib/genesys-workers", "/tmp", "/prometheus", "/data")  # noqa: S108  # its own


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A service that runs here; `words` are replaced in whatever is said of it."""

    service: Service
    folder: Path
    path: str
    words: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        command = [self._here(word) for word in self.service.command]
        if self.service.is_ours:
            command = [sys.executable, "-m", "workers.cli", *command]
        elif self.service.name == "prometheus":
            command = ["prometheus", *command]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=log, stderr=log
            )
        self.processes.append(process)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.processes[-1]

    def environment(self) -> dict[str, str]:
        """Return what a container has: nothing of this machine but the way to its programs."""
        given = {name: self._here(value) for name, value in self.service.environment.items()}
        return {"PATH": self.path, "HOME": str(self.folder), **given}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `docker compose run --rm SERVICE …` does."""
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def is_healthy(self, within: float | None = None, **changes: str) -> bool:
        """Return what its health check says, which has the time that the file gives it, or less.

        `changes` are to its environment.
        """
        longest = self.service.seconds("healthcheck", "timeout")
        try:
            done = subprocess.run(
                [self._here(word) for word in self.service.health],
                cwd=self.folder,
                env={**self.environment(), **changes},
                capture_output=True,
                timeout=min(within or longest, longest),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def becomes_healthy(self) -> None:
        wait_until(self._is_up_and_healthy, START_SECONDS, f"{self.service.name} is healthy")

    def _is_up_and_healthy(self) -> bool:
        assert self.process.poll() is None, self.said()
        return self.is_healthy()

    def said(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the process do nothing in the block, though it is there."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def age(self, seconds: float) -> None:
        """Let what it has written in its /tmp be older, as after so much time."""
        for each in (self.folder / "tmp").iterdir():
            at = each.stat().st_mtime - seconds
            os.utime(each, (at, at))

    def end(self) -> int:
        """Ask it to end, as Docker does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def _here(self, text: str) -> str:
        longest_first = sorted(self.words, key=len, reverse=True)
        known = re.compile(rf"(?<!\d)({'|'.join(map(re.escape, longest_first))})(?!\d)")
        return known.sub(lambda found: self.words[found[0]], text)


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine that runs them, all in one network, as far as ports tell them apart."""

    folder: Path
    services: dict[str, Composed] = field(default_factory=dict)
    _redis: str = field(default_factory=lambda: str(free_port()))
    _sandbox: str = field(default_factory=lambda: str(free_port()))

    def start(self, service: Service) -> Composed:
        """Start a service; the test is skipped where its program is not here."""
        folder = self.folder / service.name
        for each in _WRITTEN:
            (folder / each.strip("/")).mkdir(parents=True)
        if service.name == "redis":
            self._configure(folder)
        made = Composed(
            service=service, folder=folder, path=_path(), words=self._words(service.name, folder)
        )
        self.services[service.name] = made
        made.start()
        return made

    def _words(self, name: str, folder: Path) -> Mapping[str, str]:
        ports = {port: str(free_port()) for port in set(_PORT.findall(compose.text()))}
        if name == "sandbox":
            ports["8080"] = self._sandbox
        return {
            **ports,
            "redis:6379": f"{HOST}:{self._redis}",
            "sandbox:8080": f"{HOST}:{self._sandbox}",
            "0.0.0.0": HOST,  # noqa: S104  # theirs
            "redis-cli": f"redis-cli -p {self._redis}",
            "/etc/redis.conf": str(folder / "redis.conf"),
            "/etc/prometheus": str(DEPLOY / "prometheus"),
            **{each: str(folder / each.strip("/")) for each in _WRITTEN},
        }

    def _configure(self, folder: Path) -> None:
        shipped = (DEPLOY / "redis.conf").read_text("utf-8")
        assert "dir /data" in shipped
        own = shipped.replace("dir /data", f"dir {folder / 'data'}")
        own += f"bind {HOST}\nport {self._redis}\n"
        (folder / "redis.conf").write_text(own, "utf-8")

    def end(self) -> None:
        """End whatever still runs, the broker last."""
        for each in reversed(self.services.values()):
            if each.process.poll() is None:
                each.process.send_signal(signal.SIGCONT)
                each.end()


def _path() -> str:
    """Return where the programs of an image are here."""
    redis = find().program
    if redis is None:
        pytest.skip("fakeredis is no server with a configuration")
    return os.pathsep.join((str(Path(sys.executable).parent), str(redis.parent), os.defpath))
