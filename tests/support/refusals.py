"""Commands that have to refuse their Redis: each with one line, and the exit code for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.cluster import Cluster

Command = tuple[str, ...]

#: Every way to start what needs Redis, as arguments of `python -m`.
every_command = pytest.mark.parametrize(
    "command",
    [
        ("workers.cli", "worker"),
        ("celery", "-A", "workers.app", "worker"),
        ("workers.cli", "status"),
        ("workers.cli", "enqueue", "sync_profile"),
    ],
    ids=" ".join,
)


def refused_in_one_line(cluster: Cluster, command: Command) -> str:
    """Run a command against the Redis of `cluster`, and return the line by which it refuses it."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command],
        cwd=cluster.folder,
        env={**os.environ, **cluster.variables()},
        input=b'{"contact_id": "c-1"}\n',
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = ended.stderr.decode()
    assert ended.returncode == 2, said
    assert said.startswith("genesys-workers: REDIS_URL: ")
    assert said.count("\n") == 1
    return said
