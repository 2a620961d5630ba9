"""The commands `rollback` and `masking`, for an organisation on the `platform` contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.configuration import CONFIGURATION
from tests.support.contracts import GUIDE, PLATFORM
from tests.support.tenants import tenants_file
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.cli.main import FAILED, MISUSED, run
from workers.sandbox.testing import SandboxHandle

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    tables = {each.tenant: each.table(sandbox) for each in (GUIDE, PLATFORM)}
    return Cluster(
        redis=redis,
        redis_url=redis_url,
        sandbox=sandbox,
        folder=folder,
        environment={"TENANTS_FILE": tenants_file(folder, **tables)},
    )


@pytest.fixture(autouse=True)
def environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)


def command(captured: Captured, line: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a command that ends with `code`, and return the JSON lines that it printed."""
    captured.readouterr()
    assert run(line.split()) == code
    return [json.loads(each) for each in captured.readouterr().out.splitlines()]


def release_of(cluster: Cluster, deployment: str) -> str:
    shown = cluster.sandbox.get("webDeployments", deployment, PLATFORM.tenant)["configuration"]
    return f"{shown['id']}:{shown['version']}"


def deploy(cluster: Cluster, app: WorkersApp, name: str) -> str:
    """Deploy a new colour, and return the deployment's id."""
    place = PLATFORM.place(cluster.sandbox)
    asked = {**place, "tenant": PLATFORM.tenant, "config": CONFIGURATION}
    client = app.services.producer.app
    client.send_task("deploy_config", kwargs=asked, queue="deploy.acme", task_id=name)
    assert cluster.ending(name)["result"]["status"] == "done"
    deployment: str = place["deployment_id"]
    return deployment


def test_a_rollback_shows_what_it_will_do_does_it_and_says_how_it_ended(
    cluster: Cluster,
    app: WorkersApp,
    worker: WorkerProcess,  # carries it out
    capsys: Captured,
) -> None:
    before = release_of(cluster, PLATFORM.place(cluster.sandbox)["deployment_id"])
    deployment = deploy(cluster, app, "deployment-1")
    ours = release_of(cluster, deployment)
    assert ours != before

    (shown,) = command(capsys, f"rollback {deployment} --tenant acme --dry-run")
    assert (shown["from"], shown["to"], shown["status"]) == (ours, before, "dry run")
    assert release_of(cluster, deployment) == ours

    (done,) = command(capsys, f"rollback {deployment} --tenant acme --wait")
    assert (done["from"], done["to"], done["status"]) == (ours, before, "done")
    assert release_of(cluster, deployment) == before

    command(capsys, f"rollback {deployment} --tenant acme", FAILED)
    (again,) = command(capsys, f"rollback {deployment} --tenant acme --to {ours} --wait")
    assert (again["to"], again["status"]) == (ours, "done")
    assert release_of(cluster, deployment) == ours
    (already,) = command(capsys, f"rollback {deployment} --tenant acme --to {ours} --wait")
    assert (already["from"], already["to"], already["status"]) == (ours, ours, "noop")
    records = [each for each in app.services.audit.records("acme") if each.get("deployment")]
    assert [each["task"] for each in records] == ["rollback_deployment"] * 3


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        ("rollback d-1", FAILED, "the guide contract knows no versions to go back to"),
        ("rollback nowhere --tenant acme", FAILED, "there is no deployment nowhere"),
        ("rollback d-1 --tenant nobody", MISUSED, "unknown; the tenants are default, acme"),
        ("rollback d-1/.. --tenant acme", MISUSED, "is not an id"),
        ("masking", FAILED, "this tenant's API contract does not offer it"),
        ("masking --tenant nobody", MISUSED, "unknown; the tenants are default, acme"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    capsys: Captured, line: str, code: int, complaint: str
) -> None:
    assert run(line.split()) == code
    said = capsys.readouterr()
    assert complaint in said.err
    assert (said.out, len(said.err.splitlines())) == ("", 1)


def rules(cluster: Cluster) -> list[dict[str, Any]]:
    ids = cluster.sandbox.ids("maskingRules", PLATFORM.tenant)
    return [cluster.sandbox.get("maskingRules", each, PLATFORM.tenant) for each in ids]


def masking(captured: Captured, *options: str) -> dict[str, str]:
    """Run `masking` and return what became of each rule."""
    lines = command(captured, " ".join(("masking --tenant acme", *options)))
    return {each["rule"]: each["action"] for each in lines}


def test_masking_rules_are_kept_in_step(cluster: Cluster, capsys: Captured) -> None:
    theirs = {"name": "Orders", "definition": "[0-9]{6}"}
    cluster.sandbox.put("maskingRules", "theirs", theirs, PLATFORM.tenant)
    planned = masking(capsys, "--dry-run")
    assert planned["genesys-workers email"] == "would be created"
    assert cluster.sandbox.ids("maskingRules", PLATFORM.tenant) == ["theirs"]
    first, again = masking(capsys), masking(capsys)
    assert {*first.values()} == {"created", "somebody else's"}
    assert {*again.values()} == {"as it should be", "somebody else's"}
    assert first.keys() == again.keys() == planned.keys()
    assert again["Orders"] == "somebody else's"


def test_a_rule_that_somebody_has_changed_is_changed_back(
    cluster: Cluster, capsys: Captured
) -> None:
    masking(capsys)
    held = next(each for each in rules(cluster) if each["name"] == "genesys-workers email")
    off = {**held, "enabled": False}
    cluster.sandbox.put("maskingRules", held["id"], off, PLATFORM.tenant)
    assert masking(capsys)["genesys-workers email"] == "changed"
    kept = cluster.sandbox.get("maskingRules", held["id"], PLATFORM.tenant)
    assert kept["enabled"] is True


def test_nothing_is_changed_where_the_api_refuses_a_rule(
    cluster: Cluster, capsys: Captured
) -> None:
    for each in cluster.sandbox.ids("maskingRules", PLATFORM.tenant):
        cluster.sandbox.put("maskingRules", each, {"definition": each}, PLATFORM.tenant)
    route = "/api/v2/dataprivacy/maskingrules/validate"
    fault = {"kind": "status", "status": 422, "times": None}
    cluster.sandbox.fault(client="acme-platform", method="POST", route=route, **fault)
    try:
        assert run(["masking", "--tenant", "acme"]) == FAILED
    finally:
        cluster.sandbox.clear_faults()
    assert "changed nothing" in capsys.readouterr().err
    assert all(each["name"] == "rule" for each in rules(cluster))
