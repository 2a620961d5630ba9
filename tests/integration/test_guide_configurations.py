"""Deployments by the `guide` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.apis.genesys_guide import GenesysGuide
from tasks.deploy import deploy_config
from tasks.errors import Failed, NotFound, OutcomeUnknown, Postponed, StateChanged
from tasks.messages import ConfirmReplication, DeployConfig, parse
from tasks.operations import Outcome
from tasks.replication import confirm_replication
from tasks.waiting import Waiting
from tests.support.guide import connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

CONFIG = {
    "brand_color": "#0055AA",
    "font_size": 16,
    "font_family": "Inter, sans-serif",
    "greetings": ["Hello!"],
    "availability_rules": [{"dayOfWeek": "MONDAY", "startTime": "09:00", "endTime": "17:00"}],
    "feature_flags": {"cobrowse": True},
    "audience_segments": ["vip"],
}
PATH = "/api/v2/webchat/organizations/{}/configurations"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock) as handle:
        yield handle


@pytest.fixture
def genesys(sandbox: SandboxHandle) -> GenesysGuide:
    return connect(sandbox)


class Deployer:
    """Runs the two use cases with the sandbox's clock."""

    def __init__(self, genesys: GenesysGuide, clock: ManualClock) -> None:
        self._genesys = genesys
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def deploy(self, *organization_ids: str, **arguments: Any) -> Outcome:
        asked = {"organization_ids": list(organization_ids), "config": CONFIG, **arguments}
        message = parse(DeployConfig, asked)
        return deploy_config(message, self._genesys, Waiting(), self.now())

    def confirm(self, outcome: Outcome) -> Outcome:
        message = outcome.follow_ups[0].message
        assert isinstance(message, ConfirmReplication)
        return confirm_replication(message, self._genesys, Waiting(), self.now)


@pytest.fixture
def deployer(genesys: GenesysGuide, clock: ManualClock) -> Deployer:
    return Deployer(genesys, clock)


def puts(sandbox: SandboxHandle) -> list[tuple[str, str, int]]:
    """Organisation, If-Match and status of every PUT, in order."""
    return [
        (entry["path"].split("/")[5], entry["if_match"], entry["status"])
        for entry in sandbox.journal(method="PUT")
    ]


def test_the_first_put_carries_the_version_that_was_read(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    before = sandbox.get("configurations", "org-001")
    outcome = deployer.deploy("org-001")
    after = sandbox.get("configurations", "org-001")
    assert puts(sandbox) == [("org-001", str(before["version"]), 200)]
    assert after["widget"]["theme"]["colors"] == {"primary": "#0055AA", "background": "#FFFFFF"}
    assert before.keys() <= after.keys()
    assert outcome.status == "done"
    assert outcome.detail["organizations"] == {
        "org-001": {"result": "deployed", "version": str(after["version"])}
    }


def test_what_is_deployed_already_is_put_once(deployer: Deployer, sandbox: SandboxHandle) -> None:
    deployer.deploy("org-001")
    assert deployer.deploy("org-001").status == "noop"
    assert len(sandbox.effects(kind="configuration.put")) == 1


def test_another_writers_fields_survive_a_conflict(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    theirs = {"launcher": {"position": "left"}, "widget": {"theme": {"radius": 4}}}
    sandbox.fault(kind="foreign_write", method="GET", path=PATH.format("org-002"), changes=theirs)
    with pytest.raises(StateChanged, match="org-001: deployed") as conflict:
        deployer.deploy("org-001", "org-002", "org-003")
    assert "org-003: deployed" in str(conflict.value)
    outcome = deployer.deploy("org-001", "org-002", "org-003")
    document = sandbox.get("configurations", "org-002")
    assert document["launcher"]["position"] == "left"
    assert document["widget"]["theme"]["radius"] == 4
    assert document["widget"]["theme"]["typography"]["fontSize"] == "16px"
    organizations: Any = outcome.detail["organizations"]
    assert {each: organizations[each]["result"] for each in organizations} == {
        "org-001": "unchanged",
        "org-002": "deployed",
        "org-003": "unchanged",
    }
    assert len(sandbox.effects(kind="configuration.put")) == 3


def test_an_unknown_organisation_does_not_stop_the_others(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    with pytest.raises(NotFound, match="org-001: deployed; org-002: deployed; org-999: genesys"):
        deployer.deploy("org-999", "org-001", "org-002")
    assert len(sandbox.effects(kind="configuration.put")) == 2


@pytest.mark.parametrize("status", [404, 405])
def test_without_a_get_the_refused_version_0_tells_the_version(
    status: int, deployer: Deployer, sandbox: SandboxHandle
) -> None:
    version = str(sandbox.get("configurations", "org-001")["version"])
    sandbox.options(configuration_get=status)
    outcome = deployer.deploy("org-001")
    assert puts(sandbox) == [("org-001", "0", 409), ("org-001", version, 200)]
    assert outcome.detail["warnings"] == [
        "org-001: the API hides the configuration, which was replaced"
    ]


def test_an_organisation_without_a_configuration_gets_its_first(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    assert deployer.deploy("org-061").status == "done"
    assert puts(sandbox) == [("org-061", "0", 200)]


def test_a_replication_is_followed_to_its_end(
    deployer: Deployer, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    asked = deployer.deploy(
        "org-001", "org-002", "org-003", replicate=True, overwrite_existing=True
    )
    assert (asked.status, asked.follow_ups[0].delay) == ("accepted", 2.0)
    with pytest.raises(Postponed, match=r"replication: job .* is running"):
        deployer.confirm(asked)
    clock.advance(4)
    confirmed = deployer.confirm(asked)
    assert confirmed.status == "done"
    assert confirmed.detail["replicated"] == ["org-002", "org-003"]
    assert confirmed.detail["activation_latency_ms"] == 4000
    assert sandbox.get("configurations", "org-003")["greetings"]["messages"] == ["Hello!"]
    again = deployer.deploy(
        "org-001", "org-002", "org-003", replicate=True, overwrite_existing=True
    )
    assert (again.status, again.detail["replicated"]) == ("noop", "unchanged")
    assert len(sandbox.effects(kind="replication.started")) == 1


def test_targets_that_are_left_alone_are_listed_as_skipped(
    deployer: Deployer, clock: ManualClock
) -> None:
    asked = deployer.deploy("org-001", "org-002", replicate=True)
    clock.advance(4)
    confirmed = deployer.confirm(asked)
    assert (confirmed.detail["replicated"], confirmed.detail["skipped"]) == ([], ["org-002"])


def test_a_replication_without_a_job_counts_as_acknowledged(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    sandbox.options(replication_id=False)
    outcome = deployer.deploy("org-001", "org-002", replicate=True)
    assert (outcome.status, outcome.detail["replicated"]) == ("done", "acknowledged")
    assert outcome.follow_ups == ()


def test_a_failed_replication_fails(
    deployer: Deployer, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    sandbox.options(replication_outcome="FAILED")
    asked = deployer.deploy("org-001", "org-002", replicate=True)
    clock.advance(4)
    with pytest.raises(Failed, match="as failed"):
        deployer.confirm(asked)


def test_a_replication_whose_answer_was_lost_is_seen_in_its_targets(
    deployer: Deployer, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    sandbox.fault(kind="reset_after", path="/api/v2/webchat/configurations/replicate")
    with pytest.raises(OutcomeUnknown) as lost:
        deployer.deploy("org-001", "org-002", replicate=True, overwrite_existing=True)
    clock.advance(lost.value.settling)
    outcome = deployer.deploy("org-001", "org-002", replicate=True, overwrite_existing=True)
    assert (outcome.status, outcome.detail["replicated"]) == ("noop", "unchanged")
    assert len(sandbox.effects(kind="replication.started")) == 1


def test_audit_records_of_all_pages_are_counted(
    deployer: Deployer, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    start = deployer.now() - timedelta(hours=1)
    organization_ids = [f"org-{number:03}" for number in range(1, 31)]
    clock.advance(60)
    window = {
        "start": start.isoformat(),
        "end": (deployer.now() + timedelta(hours=1)).isoformat(),
    }
    outcome = deployer.deploy(*organization_ids, audit_window=window)
    audit: Any = outcome.detail["audit"]
    assert audit["records"] >= 30
    assert audit["newest"] >= "2027"
    pages = sandbox.journal(path="/api/v2/audit/records/query")
    assert len(pages) == audit["records"] // 25 + 1


def test_an_audit_that_gives_no_answer_does_not_undo_a_deployment(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    sandbox.fault(kind="status", status=503, path="/api/v2/audit/records/query")
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    outcome = deployer.deploy("org-001", audit_window=window)
    audit: Any = outcome.detail["audit"]
    assert outcome.status == "done"
    assert audit["unavailable"].startswith("genesys answered 503")


def test_a_missing_audit_scope_does_not_undo_a_deployment(
    deployer: Deployer, sandbox: SandboxHandle
) -> None:
    sandbox.put_client(
        "sandbox-client", scopes=["webchat:configuration:read", "webchat:configuration:write"]
    )
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    outcome = deployer.deploy("org-001", audit_window=window)
    audit: Any = outcome.detail["audit"]
    assert outcome.status == "done"
    assert "audit:read" in audit["unavailable"]
