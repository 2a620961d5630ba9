"""Whether the folders that settings name can be written to from here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from workers.doctor.finding import Finding, bad, ok


def writable(setting: str, folder: Path) -> Iterator[Finding]:
    """Find whether `folder`, the value of `setting`, can be written to, or be made."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        yield ok(f"{setting} can be written to")
    else:
        yield bad(f"{setting} cannot be written to", f"give the worker's user the folder {folder}")
