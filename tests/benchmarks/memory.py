"""Memory of a worker, with the processes that it has forked."""

from __future__ import annotations

from pathlib import Path


def held(pid: int) -> int:
    """Return the bytes that a process and its descendants hold, shared pages shared out (PSS)."""
    return sum(_own(each) for each in tree(pid))


def tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def _own(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in rollup if line.startswith("Pss:")))
