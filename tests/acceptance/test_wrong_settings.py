"""A wrong setting stops the stock command line of Celery with one line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.worker_process import command

RIGHT = {
    "GENESYS_API": "guide",
    "GENESYS_REGION": "us_east_1",
    "GENESYS_CLIENT_ID": "an-id",
    "GENESYS_CLIENT_SECRET": "a-secret",
}


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"REDIS_URL": "http://:Canary7f3a@host"}, "REDIS_URL: must start with redis://"),
        ({"QUEUE_RATES": "merge=Canary7f3a"}, "QUEUE_RATES: a rate is a number above 0"),
        ({"SEAL_KEY": "Canary7f3a"}, "SEAL_KEY: must be a Fernet key"),
        ({"TENANTS_FILE": "/no/such/file"}, "TENANTS_FILE: cannot be read as TOML"),
        ({"GENESYS_REGION": "Canary7f3a"}, "GENESYS_REGION: region must be one of us_east_1"),
        ({"GENESYS_API": ""}, "GENESYS_API: "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_stops_the_worker_with_one_line(
    tmp_path: Path, wrong: dict[str, str], line: str
) -> None:
    worker = subprocess.run(
        command(),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **RIGHT, **wrong},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert worker.returncode != 0
    assert worker.stdout == ""
    assert worker.stderr.startswith(f"genesys-workers: {line}")
    assert worker.stderr.count("\n") == 1
    assert "Canary7f3a" not in worker.stderr
