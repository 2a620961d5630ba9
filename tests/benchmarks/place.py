"""Where benchmarks run that ask outside systems: an empty Redis, and a sandbox without limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.benchmarks import bench_sandbox
from tests.support.redis import redis_server
from workers.sandbox.testing import SandboxHandle


@dataclass(frozen=True, kw_only=True)
class Place:
    """A Redis, its URL, and the sandbox."""

    redis: Redis
    url: str
    sandbox: SandboxHandle


@contextmanager
def place() -> Iterator[Place]:
    """Give a place of its own until the block ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as url,
        Redis.from_url(url) as redis,
        bench_sandbox.sandbox() as sandbox_url,
    ):
        yield Place(redis=redis, url=url, sandbox=SandboxHandle(sandbox_url))
