from __future__ import annotations

from tests.support.module_cluster import app, cluster, folder, redis, sandbox, worker

__all__ = ["app", "cluster", "folder", "redis", "sandbox", "worker"]
