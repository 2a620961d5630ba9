"""One cluster per module: an empty Redis, a fresh sandbox, two tenants without narrow budgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.tenants import UNLIMITED, tenant, tenants_file
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle


@pytest.fixture(scope="module")
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture(scope="module")
def sandbox(shared_sandbox: SandboxHandle) -> SandboxHandle:
    shared_sandbox.reset()
    shared_sandbox.options(requests_per_minute=UNLIMITED, participants_per_second=UNLIMITED)
    return shared_sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    tenants = {name: tenant(sandbox, name) for name in ("default", "acme")}
    environment = {"TENANTS_FILE": tenants_file(folder, **tenants)}
    return Cluster(
        redis=redis, redis_url=redis_url, sandbox=sandbox, folder=folder, environment=environment
    )


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> Iterator[WorkerProcess]:
    with cluster.worker() as running:
        yield running


@pytest.fixture(scope="module")
def app(cluster: Cluster) -> Iterator[WorkersApp]:
    made = cluster.app()
    yield made
    made.services.close()
