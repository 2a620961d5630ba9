"""Run every benchmark, each as a process of its own: `make bench`."""

from __future__ import annotations

import subprocess
import sys

#: What the README and the scaling guide quote comes first.
NAMES = (
    "throughput",
    "pools",
    "overhead",
    "latency",
    "drain",
    "idle",
    "receiver",
    "publishing",
    "redaction",
    "retention",
    "metrics",
    "tracing",
    "sandbox",
    "sandbox_events",
)


def failed(name: str) -> bool:
    """Run a benchmark and return whether it ended with an error."""
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"tests.benchmarks.bench_{name}"]
    return subprocess.run(command, check=False).returncode != 0


if __name__ == "__main__":
    broken = [name for name in NAMES if failed(name)]
    sys.exit(f"failed: {', '.join(broken)}" if broken else 0)
