"""A Redis server that writes every change to disk before it answers, to be ended and started."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST
from workers.embedded.redis_server import find

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")

#: Loading what was kept takes a while, on a machine that is busy.
START_SECONDS = 60


@dataclass(kw_only=True)
class RestartableRedis:
    """A server on one port, whatever becomes of its process; its database outlives that."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [*find().command(self.port, self.folder), *DURABLE]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers, START_SECONDS, "Redis answers")

    def kill(self) -> None:
        """End it by SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(START_SECONDS)

    def shut_down(self) -> None:
        """End it as `SHUTDOWN` does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_SECONDS)

    def _answers(self) -> bool:
        with Redis(host=HOST, port=self.port) as client:
            try:
                return bool(client.ping())
            except NotUp:  # or still loading
                return False


@contextmanager
def restartable_redis(folder: Path) -> Iterator[RestartableRedis]:
    """Run one until the block ends; the test is skipped where there is no real server."""
    if find().program is None:
        pytest.skip("fakeredis keeps nothing on disk")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    server = RestartableRedis(port=port, folder=folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartableRedis]:
    with restartable_redis(tmp_path_factory.mktemp("restartable")) as running:
        yield running


@pytest.fixture(scope="module")
def redis_url(server: RestartableRedis) -> str:
    return server.url
