"""What other libraries say is a masked JSON line in every process of this project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import program
from tests.support.cluster import Cluster

#: Says the same by the logger of every library, once the process is about to end.
SITE = """
import atexit, logging, warnings

NAMES = ("celery.worker", "kombu.connection", "aiohttp.server", "aiohttp.access", "asyncio",
         "tornado.application", "redis", "urllib3", "opentelemetry.sdk", "multiprocessing")

def say():
    for name in NAMES:
        logging.getLogger(name).error("lost redis://:s3cret@host of %s", "jane@example.com")
        logging.getLogger(name).debug("GET /customers/jane@example.com")
    try:
        raise ValueError("jane@example.com")
    except ValueError:
        logging.getLogger("last").exception("failed")
    warnings.warn("jane@example.com is deprecated")

atexit.register(say)
"""

NAMES = 10


@pytest.mark.parametrize(
    ("command", "ready"),
    [
        (["worker", "--concurrency", "1"], r" ready\."),
        (["bridge"], "bridge.started"),
        (["flower", "--port", "0"], "flower.shown"),
        (["metrics", "--address", "127.0.0.1:0"], "metrics.shown"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_whatever_a_library_says_is_a_masked_json_line(
    cluster: Cluster, tmp_path: Path, command: list[str], ready: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE, "utf-8")
    variables = {
        **cluster.variables(),
        "PYTHONPATH": str(site),
        "BRIDGE_SECRET": "a secret of some length",
        "RECEIVER_ADDRESS": "127.0.0.1:0",
        "LOG_LEVEL": "DEBUG",
    }
    with program.running(command, variables, tmp_path, "said") as running:
        running.says(ready)
        assert running.end() == 0
    lines = running.said().splitlines()
    said = [json.loads(line) for line in lines if not line.startswith("bridge listening on")]
    masked = [line for line in said if line["event"] == "lost redis://***@host of ***"]
    assert len({line["logger"] for line in masked}) == NAMES
    assert "jane" not in running.said()
    assert "s3cret" not in running.said()
    (failed,) = [line["error"] for line in said if line["event"] == "failed"]
    assert failed.startswith("ValueError in say:")
