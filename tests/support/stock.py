"""Runs the stock client: another process, elsewhere, without this project in it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("stock_client.py")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a message, or a canvas of several, ended with as its producer sees it."""

    state: str
    result: Any
    error: dict[str, str] | None
    traceback: str | None

    @property
    def status(self) -> str:
        return str(self.result["status"])


def send(broker: str, folder: Path, *sends: dict[str, Any], seconds: float = 60) -> list[Ending]:
    """Let a stock client send all of `sends` at once and return what each ended with, in order."""
    order = {"broker": broker, "seconds": seconds, "sends": sends}
    client = subprocess.run(
        [sys.executable, "-I", str(SCRIPT)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": ""},
        timeout=seconds + 30,
        check=False,
    )
    assert client.returncode == 0, client.stderr
    return [Ending(**ending) for ending in json.loads(client.stdout)]
