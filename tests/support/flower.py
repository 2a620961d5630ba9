"""A Flower of a test, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support import program
from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST, free_port, url_of

#: Seconds until it has come up, on a busy machine.
START_SECONDS = 60

#: As a state of a task of which Flower has not heard.
UNKNOWN = ""


@dataclass(frozen=True, kw_only=True)
class RunningFlower:
    """Where it is, and what it logs."""

    url: str
    log: Path
    user: str = "admin"
    password: str = "flower-secret"

    def ask(self, method: str, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self.url + path, auth=(self.user, self.password), timeout=20
            )

    def get(self, path: str) -> Any:
        """Return what its API answers."""
        answer = self.ask("GET", path)
        answer.raise_for_status()
        return answer.json()

    def page(self, path: str) -> str:
        """Return one of its pages, as a browser gets it."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def hears(self) -> None:
        """Wait until it has heard of a worker, as it will of what that does from now on."""
        wait_until(lambda: self.get("/api/workers?status=1"), 30, "Flower hears a worker")

    def state(self, task: str) -> str:
        """Return in which state it shows a task."""
        return str(self.get("/api/tasks").get(task, {}).get("state", UNKNOWN))

    def await_state(self, task: str, state: str) -> dict[str, Any]:
        """Wait until it shows a task in a state, and return what it tells of the task."""
        wait_until(lambda: self.state(task) == state, 30, f"Flower shows {task} as {state}")
        told: dict[str, Any] = self.get(f"/api/task/info/{task}")
        return told


@contextmanager
def flower(broker: str, folder: Path, *options: str, **variables: str) -> Iterator[RunningFlower]:
    """Run Flower behind a password until the block ends; it listens when the block begins."""
    running = RunningFlower(
        url=url_of(HOST, port := free_port()), log=folder / f"flower-{port}.log"
    )
    login = {"FLOWER_USER": running.user, "FLOWER_PASSWORD": running.password}
    command = ["flower", "--address", HOST, "--port", str(port), *options]
    environment = {"REDIS_URL": broker, **login, **variables}
    with program.running(command, environment, folder, running.log.stem) as process:
        process.says("flower.shown", START_SECONDS)
        yield running
