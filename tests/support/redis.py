"""A real Redis server for tests, in a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from workers.embedded.loopback import HOST
from workers.embedded.redis_server import find


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(find().command(port, folder), stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port) as client:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except NotUp:
                    time.sleep(0.02)
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.terminate()
        process.wait(10)
