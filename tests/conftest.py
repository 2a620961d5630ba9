from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings
from kombu import pools
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.cranked import CrankedWorker
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle, running
from workers.watching import telemetry

# How long an example takes says something of who else is at work on this machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A run in the background ignores it, and so would every program that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the soak tests out unless they are asked for by their path."""
    asked = any("soak" in argument for argument in config.args)
    return True if collection_path.name == "soak" and not asked else None


def pytest_collection_finish() -> None:
    """Let no garbage collection look at what was collected: it lives as long as the tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Run two processes for each core, unless told: tests wait for workers half of the time."""
    told = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return None if told else 2 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a module in one process: they may share worker processes."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # no hints

    return LoadScopeScheduling(config, log)


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """What a test sets up of logging, by a command for instance, is over with it."""
    root, config = logging.getLogger(), structlog.get_config()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.configure(**config)
    # Once it is used as it is configured for a process, it keeps to that.
    telemetry.log.__dict__.pop("bind", None)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis server of this test process."""
    from tests.support.redis import redis_server

    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[SandboxHandle]:
    with running() as handle:
        yield handle


@pytest.fixture
def sandbox(shared_sandbox: SandboxHandle) -> SandboxHandle:
    """The sandbox as it is after its start."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty database."""
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, tmp_path: Path) -> Cluster:
    return Cluster(redis=redis, redis_url=redis_url, sandbox=sandbox, folder=tmp_path)


@pytest.fixture
def app(cluster: Cluster) -> Iterator[WorkersApp]:
    made = cluster.app()
    yield made
    results: Any = made.backend
    results.client.close()
    made.services.close()
    pools.reset()


@pytest.fixture
def cranked(app: WorkersApp) -> CrankedWorker:
    return CrankedWorker(app=app)
