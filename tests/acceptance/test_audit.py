"""Audit records of real workers: in Redis, in files, and checked by the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.messages import MergeProfiles, SetAttributes
from tests.integration.outside import Outside, answer, running
from tests.support.cluster import Cluster
from tests.support.tenants import tenant, tenants_file
from tests.support.waiting import wait_until
from workers.app import WorkersApp

MESSAGES = 60


@pytest.fixture(scope="module")
def audited(cluster: Cluster, folder: Path) -> Cluster:
    environment = {**cluster.environment, "AUDIT_DIR": str(folder / "audit")}
    return replace(cluster, environment=environment)


@pytest.fixture(scope="module")
def app(audited: Cluster) -> Iterator[WorkersApp]:
    made = audited.app()
    yield made
    made.services.close()


def command(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `genesys-workers audit …` as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", "audit", *arguments],
        cwd=cluster.folder,
        env={**os.environ, **cluster.variables()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def records(app: WorkersApp, operation_id: str) -> list[dict[str, Any]]:
    found = app.services.audit.records("default")
    return [each for each in found if each.get("operation_id") == operation_id]


def test_what_workers_leave_behind_that_are_killed_is_one_intact_chain(
    audited: Cluster, app: WorkersApp, redis: Redis, folder: Path
) -> None:
    quick = replace(audited, environment={**audited.environment, "LEASE_SECONDS": "1"})
    conversations = quick.sandbox.ids("conversations", state="active")[:MESSAGES]
    for number, conversation in enumerate(conversations):
        message = SetAttributes(
            conversation_id=conversation, attributes={"n": "1"}, operation_id=f"a-{number}"
        )
        app.services.producer.publish(message)
    with quick.worker() as first, quick.worker():
        ended = len(conversations) // 3
        wait_until(lambda: int(redis.xlen("gw:audit:default")) > ended, 60, "a third has ended")
        first.kill()
        quick.wait_until_quiet(120)
    verified = command(quick, "verify", "--dir", str(folder / "audit"))
    assert (verified.returncode, verified.stderr) == (0, "")
    assert f"default: intact: {len(conversations)} records" in verified.stdout
    export = folder / "export.jsonl"
    assert command(quick, "export", "--file", str(export)).returncode == 0
    assert command(quick, "verify", "--offline", "--file", str(export)).returncode == 0
    _tamper(export)
    broken = command(quick, "verify", "--file", str(export))
    assert broken.returncode == 1
    assert "broken: record 5: differs between the stream and" in broken.stdout


def _tamper(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines(keepends=True)
    lines[4] = lines[4].replace("done", "noop")
    path.write_text("".join(lines), "utf-8")


@pytest.fixture
def crm() -> Iterator[Outside]:
    with running() as handle:
        yield handle


def test_a_failing_hook_and_a_failing_folder_neither_hide_nor_repeat_a_merge(
    cluster: Cluster, app: WorkersApp, crm: Outside, folder: Path
) -> None:
    (folder / "no-folder").write_text("")
    (folder / "hooked").mkdir()
    crm.behaviours[:] = [answer(500)]
    table = tenant(cluster.sandbox, hooks={"merged": [f"{crm.url}/merged"]})
    environment = {
        "TENANTS_FILE": tenants_file(folder / "hooked", default=table),
        "AUDIT_DIR": str(folder / "no-folder"),
    }
    failing = replace(cluster, folder=folder / "hooked", environment=environment)
    for profile in ("kept-1", "kept-2"):
        cluster.sandbox.put("profiles", profile, {"customAttributes": {}})
    message = MergeProfiles(
        target_profile_id="kept-1", source_profile_ids=["kept-2"], operation_id="kept"
    )
    with failing.worker():
        for _ in range(2):
            ended = cluster.ending(app.services.producer.publish(message))
            assert ended["result"]["status"] == "done"
        cluster.wait_until_quiet()
    assert len(cluster.sandbox.effects(kind="profiles.merged", correlation_id="kept")) == 1
    assert len(crm.requests) == 1
    merged, told = records(app, "kept")
    assert told["hooks"] == ["500"]
    contract = {"at", "target", "sources", "policy", "latency_ms", "identity_match", "consents"}
    assert contract <= merged.keys()
    assert merged["status"] == "done"
    assert failing.logs().count("audit.file_failed") == 1
    assert command(failing, "verify").returncode == 0
