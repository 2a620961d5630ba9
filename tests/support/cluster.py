"""A real cluster for tests: a Redis server, the sandbox, the app, worker processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from redis import Redis

from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess, running
from workers.app import WorkersApp, create_app, queues
from workers.limits.priority import lists
from workers.sandbox.testing import SandboxHandle
from workers.settings import Settings
from workers.tenants import Tenant, load_tenants

__all__ = ["RATES", "Cluster", "wait_until"]

#: High enough never to matter, so that a test measures what it is about.
RATES = "attributes=9999/s,merge=9999/s,sync=9999/s,deploy=9999/s,redact=9999/s,sweep=9999/s"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What the processes of a cluster share: the broker and the outside systems."""

    redis: Redis
    redis_url: str
    sandbox: SandboxHandle
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def settings(self) -> Settings:
        values: dict[str, Any] = {name.lower(): text for name, text in self.variables().items()}
        return Settings(_env_file=None, **values)

    def variables(self) -> dict[str, str]:
        """Return the environment that connects a worker to this cluster."""
        return {
            "REDIS_URL": self.redis_url,
            "QUEUE_RATES": RATES,
            "GENESYS_API": "guide",
            "GENESYS_API_URL": self.sandbox.genesys_url,
            "GENESYS_LOGIN_URL": self.sandbox.genesys_url,
            "GENESYS_CLIENT_ID": "sandbox-client",
            "GENESYS_CLIENT_SECRET": "sandbox-secret",
            "CXONE_URL": self.sandbox.cxone_url,
            "CXONE_CLIENT_ID": "sandbox-cxone",
            "CXONE_CLIENT_SECRET": "sandbox-cxone-secret",
            "CXONE_COALESCE_SECONDS": "0",
            **self.environment,
        }

    def tenants(self) -> Mapping[str, Tenant]:
        return load_tenants(self.settings())

    def app(self) -> WorkersApp:
        return create_app(self.settings(), self.tenants())

    def ids(self, kind: str) -> list[str]:
        """Return the ids of the sandbox's resources of `kind`, in its own order."""
        answer = requests.get(f"{self.sandbox.url}/sandbox/state/{kind}", timeout=10).json()
        return list(next(iter(answer.values())))

    @contextmanager
    def worker(self, *options: str) -> Iterator[WorkerProcess]:
        """Run a worker process until the block ends; it is ready when the block begins."""
        with running(self.variables(), self.folder, *options) as worker:
            yield worker

    def logs(self) -> str:
        """Return what all workers have logged."""
        return "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))

    def ending(self, message_id: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for the end of a message and return what Celery's result backend has of it."""
        wait_until(lambda: self._has_ended(message_id), seconds, f"{message_id} has ended")
        return self._meta(message_id)

    def _has_ended(self, message_id: str) -> bool:
        return bool(self._meta(message_id).get("status", "RETRY") != "RETRY")

    def _meta(self, message_id: str) -> dict[str, Any]:
        stored: Any = self.redis.get(f"celery-task-meta-{message_id}")
        found: dict[str, Any] = json.loads(stored or b"{}")
        return found

    def is_quiet(self) -> bool:
        """Return whether no message waits, is delayed, or is held by a worker."""
        return not self.redis.exists(*self._places)

    @cached_property
    def _places(self) -> list[str]:
        """Where messages are; a test that waits asks often."""
        names = [queue.name for queue in queues(self.tenants())]
        stored = [name for queue in names for name in (*lists(queue), f"gw:delayed:{queue}")]
        return [*stored, "gw:leases"]

    def wait_until_quiet(self, seconds: float = 60) -> None:
        wait_until(self.is_quiet, seconds, "all messages have ended")
