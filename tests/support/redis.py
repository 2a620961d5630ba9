"""A real Redis server for tests, in a folder of its own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST
from workers.embedded.redis_server import find

START_SECONDS = 60


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(find().command(port, folder), stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port) as client:
            wait_until(lambda: _answers(client, process), START_SECONDS, "Redis answers")
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _answers(client: Redis, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "Redis has ended"
    try:
        return bool(client.ping())
    except NotUp:
        return False
