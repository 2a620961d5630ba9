"""Waiting for what comes true by itself, never longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(holds: Callable[[], Any], seconds: float, what: str, *, pause: float = 0.02) -> None:
    """Wait until `holds` answers something true, or fail saying what never came true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(pause)
