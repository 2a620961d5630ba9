"""How this program is called from anywhere on this machine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def program() -> str:
    """Return `genesys-workers` as a shell takes it in any folder, without an activated venv."""
    script = Path(sys.executable).with_name("genesys-workers")
    words = [str(script)] if script.exists() else [sys.executable, "-m", "workers.cli"]
    return shlex.join(words)
