"""Counts of a worker whose pool forks: in files, one for each place of the pool.

prometheus_client keeps what a process counts in a memory-mapped file of its own. Here the file is
that of its place in the pool and not of its process id: the process that takes a dead one's place
goes on with the file, so that counts survive every death and no file is left behind by one. The
worker itself has a place, too, and adds all of them up when it is scraped.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from billiard.process import current_process
from prometheus_client import Metric, values
from prometheus_client.multiprocess import MultiProcessCollector

#: prometheus_client's own variable; processes that are spawned learn the folder by it.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

PARENT = "worker"


class Files(MultiProcessCollector):
    """Adds up what the processes of one worker have counted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None, str(folder))  # type: ignore[no-untyped-call]  # has no hints
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return the sums. A file that has just been made, and is empty yet, is passed over."""
        files = [str(path) for path in sorted(self._folder.glob("*.db")) if path.stat().st_size]
        return list(self.merge(files, accumulate=True))  # type: ignore[no-untyped-call]


def begin() -> Files:
    """Let this process, and those it is going to fork, count in files of a new folder.

    What was counted before stays behind: counts have to be renewed. The folder goes with the
    process, unless that is killed.
    """
    folder = Path(tempfile.mkdtemp(prefix="genesys-workers-metrics-"))
    os.environ[FOLDER] = str(folder)
    atexit.register(_remove, folder, os.getpid())
    _count_in(PARENT)
    return Files(folder)


def join() -> None:
    """Let this process of a pool count in the file of its place, if its worker counts in files."""
    if FOLDER in os.environ:
        _count_in(f"place-{getattr(current_process(), 'index', os.getpid())}")


def _count_in(name: str) -> None:
    values.ValueClass = values.MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
