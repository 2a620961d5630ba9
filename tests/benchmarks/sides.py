"""The sides of a comparison: workers of this project, whole or bare, and stock Celery's.

All read the same queues with the same settings, and take the same bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from celery import Celery
from redis import Redis

from tests.support.waiting import wait_until
from workers.limits.rates import QUEUES

Side = Literal["claiming", "bare", "stock", "counted", "uncounted", "traced"]

#: What each side runs, see the module of that name.
APPS: Mapping[Side, str] = {
    "claiming": "tests.benchmarks.claiming_app",
    "bare": "tests.benchmarks.bare_app",
    "stock": "tests.benchmarks.stock_app",
    "counted": "tests.benchmarks.counted_app",
    "uncounted": "tests.benchmarks.uncounted_app",
    "traced": "tests.benchmarks.traced_app",
}

#: Held messages: those of ours are under leases, those of stock Celery stand in a hash of Kombu's.
HELD = {"claiming": "gw:leases", "bare": "gw:leases", "stock": "unacked_index"}

#: Calls a minute that nothing here makes.
UNLIMITED = 10**9

#: Seconds in which all workers become ready.
START_SECONDS = 60

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(
    side: Side, variables: Mapping[str, str], pool: str, slots: int, name: str = "bench"
) -> Iterator[int]:
    """Run a worker of `side` until the block ends and give its process id.

    It need not be ready when the block begins; see `wait_until_ready`.
    """
    celery = [sys.executable, "-m", "celery", "-A", APPS[side], "--quiet", "worker"]
    options = ["-P", pool, "-c", str(slots), "-n", f"{name}@localhost", "--without-mingle"]
    environment = {**os.environ, **variables, "LOG_LEVEL": "ERROR"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*celery, *options], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)
            if process.returncode:
                output.seek(0)
                sys.stderr.write(output.read().decode())


def wait_until_ready(redis_url: str, workers: int) -> None:
    """Wait until so many workers answer."""
    with Celery("asking", broker=redis_url, set_as_current=False) as asking:
        wait_until(
            lambda: len(asking.control.ping(timeout=1.0, limit=workers) or ()) == workers,
            START_SECONDS,
            "all workers answer",
        )


def left(redis: Redis, side: Side, queue: str) -> int:
    """Return how many messages of `queue` have not ended."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.llen(queue)
    pipeline.zcard(HELD[side])
    pipeline.zcard(f"gw:delayed:{queue}")
    return sum(pipeline.execute())


def unlimited(redis_url: str, sandbox_url: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Return the settings of a worker that no rate or budget holds back."""
    return {
        "REDIS_URL": redis_url,
        "QUEUE_RATES": ",".join(f"{queue}=9999999/s" for queue in QUEUES),
        "GENESYS_API": "guide",
        "GENESYS_API_URL": f"{sandbox_url}/genesys",
        "GENESYS_LOGIN_URL": f"{sandbox_url}/genesys",
        "GENESYS_CLIENT_ID": "sandbox-client",
        "GENESYS_CLIENT_SECRET": "sandbox-secret",
        "GENESYS_REQUESTS_PER_MINUTE": str(UNLIMITED),
    }
