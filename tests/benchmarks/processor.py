"""Processor time, in seconds since the start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from redis import Redis

from tests.benchmarks import memory

TICKS = os.sysconf("SC_CLK_TCK")


def of_worker(pid: int) -> float:
    """Return what a process and its descendants have spent."""
    return sum(_ticks(each) for each in memory.tree(pid)) / TICKS


def of_server(redis: Redis) -> float:
    """Return what the server of `redis` has spent."""
    used: Any = redis.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])


def _ticks(pid: int) -> int:
    """Return a process's own; its name, which may hold blanks, ends with a bracket."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
