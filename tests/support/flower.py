"""A Flower of a test, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST, free_port, url_of
from workers.embedded.system import inherited, is_healthy

START_SECONDS = 60

CELERY = (sys.executable, "-m", "celery")


@dataclass(frozen=True, kw_only=True)
class RunningFlower:
    """Where it is, and what it logs."""

    url: str
    log: Path
    user: str = "admin"
    password: str = "flower-secret"

    def get(self, path: str) -> Any:
        """Return what its API answers."""
        answer = requests.get(self.url + path, auth=(self.user, self.password), timeout=10)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def flower(broker: str, folder: Path, *options: str) -> Iterator[RunningFlower]:
    """Run Flower behind a password until the block ends; it answers when the block begins."""
    running = RunningFlower(
        url=url_of(HOST, port := free_port()), log=folder / f"flower-{port}.log"
    )
    variables = {
        "CELERY_BROKER_URL": broker,
        "FLOWER_BASIC_AUTH": f"{running.user}:{running.password}",
    }
    with (
        running.log.open("wb") as output,
        subprocess.Popen(
            [*CELERY, "flower", f"--address={HOST}", f"--port={port}", *options],
            cwd=folder,
            env={**inherited(), **variables},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until(
                lambda: is_healthy(f"{running.url}/healthcheck"), START_SECONDS, "Flower answers"
            )
            yield running
        finally:
            process.terminate()
            process.wait(20)
