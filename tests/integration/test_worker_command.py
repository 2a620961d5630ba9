"""`genesys-workers worker` and `celery -A workers.app worker`: pool, concurrency, what they log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.cluster import Cluster, wait_until
from workers.app import THREADS

OURS = ["workers.cli", "worker", "--name", "one@localhost"]
CELERYS = ["celery", "-A", "workers.app", "worker", "-n", "one@localhost"]


@contextmanager
def started(cluster: Cluster, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker command with all that it says in one log, as a container has it."""
    log = cluster.folder / "worker.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cluster.folder,
            env={**os.environ, **cluster.variables()},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until(lambda: " ready." in cluster.logs(), 90, "the worker is ready")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.mark.parametrize(
    ("command", "banner"),
    [
        (OURS, f"concurrency: {THREADS} (thread)"),
        (CELERYS, f"concurrency: {THREADS} (thread)"),
        ([*OURS, "--pool", "prefork", "--concurrency", "2"], "concurrency: 2 (prefork)"),
        ([*CELERYS, "-P", "processes", "-c", "2"], "concurrency: 2 (prefork)"),
    ],
)
def test_pool_and_concurrency_are_the_same_by_either_command_and_can_be_chosen(
    cluster: Cluster, command: list[str], banner: str
) -> None:
    cluster.environment["LOG_FORMAT"] = "console"
    with started(cluster, *command):
        assert banner in cluster.logs()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_from_start_to_end_every_line_of_the_log_is_a_json_object(
    cluster: Cluster, number: int
) -> None:
    with started(cluster, *OURS) as process:
        process.send_signal(number)
        process.wait(60)
    lines = cluster.logs().splitlines()
    assert len(lines) > 3
    assert all("event" in json.loads(line) for line in lines)
