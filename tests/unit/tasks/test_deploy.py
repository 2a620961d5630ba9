"""How errors of single organisations end a deployment, and how a replication is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tasks.apis.capabilities import GUIDE
from tasks.apis.genesys import AuditRecord, Configuration, Genesys, Replication
from tasks.apis.systems import Systems
from tasks.deploy import OPERATION, deploy_config
from tasks.errors import (
    ApiError,
    Postponed,
    RateLimited,
    StateChanged,
    Unsupported,
    WorkerError,
)
from tasks.mapping import SyncRules
from tasks.messages import ConfirmReplication, DeployConfig, parse
from tasks.operations import Outcome
from tasks.replication import confirm_replication
from tasks.waiting import Waiting
from tests.unit.tasks import fakes
from tests.unit.tasks.test_webmessaging import CONFIG

START = datetime(2026, 1, 31, tzinfo=UTC)


@dataclass(kw_only=True)
class Organizations:
    """Configurations that keep their versions; `refusals` meets the write of an organisation."""

    documents: dict[str, Configuration] = field(default_factory=dict)
    refusals: dict[str, ApiError] = field(default_factory=dict)
    #: What another writer puts right after the organisation was read.
    meanwhile: dict[str, Configuration] = field(default_factory=dict)
    #: What meets a question to the audit.
    silence: WorkerError | None = None
    #: The job that a request for a replication starts.
    job_id: str = "job-1"
    put: list[str] = field(default_factory=list)
    replications: list[tuple[str, Sequence[str], bool]] = field(default_factory=list)

    def read_configuration(self, organization_id: str) -> Configuration | None:
        found = self.documents.get(organization_id)
        if organization_id in self.meanwhile:
            self.documents[organization_id] = self.meanwhile.pop(organization_id)
        return found

    def put_configuration(
        self, organization_id: str, document: Mapping[str, object], version: str
    ) -> str:
        if refusal := self.refusals.get(organization_id):
            raise refusal
        held = self.documents.get(organization_id)
        current = held.version if held else "0"
        if version != current:
            raise StateChanged(
                version=current, system="genesys", method="PUT", route="/fake", status=409
            )
        following = str(int(version) + 1)
        self.documents[organization_id] = Configuration(version=following, document=document)
        self.put.append(organization_id)
        return following

    def replicate(
        self, source_id: str, target_ids: Sequence[str], *, overwrite_existing: bool
    ) -> str:
        self.replications.append((source_id, target_ids, overwrite_existing))
        return self.job_id

    def read_replication(self, job_id: str) -> Replication:
        assert job_id == self.job_id
        return Replication(state="running", status="RUNNING", skipped=())

    def configuration_changes(self, *_: object, **__: object) -> Iterator[AuditRecord]:
        if self.silence:
            raise self.silence
        yield from ()


def run(genesys: Organizations, *organization_ids: str, **arguments: object) -> Outcome:
    asked = {"organization_ids": list(organization_ids), "config": CONFIG, **arguments}
    return deploy_config(parse(DeployConfig, asked), genesys, Waiting(), START)


def deploy(genesys: Organizations, *organization_ids: str, replicate: bool = False) -> str:
    return run(genesys, *organization_ids, replicate=replicate).status


def test_what_can_be_tried_again_is_raised_before_what_is_final() -> None:
    refusals = {"a": fakes.not_found(), "b": fakes.outcome_unknown(), "c": fakes.state_changed()}
    genesys = Organizations(refusals=refusals)
    with pytest.raises(StateChanged) as raised:
        deploy(genesys, "a", "b", "c", "d")
    for part in ("d: deployed", "a: genesys answered 404", "b: genesys answered 503"):
        assert part in str(raised.value)


def test_the_next_try_leaves_the_others_alone() -> None:
    genesys = Organizations(refusals={"b": fakes.state_changed()})
    with pytest.raises(StateChanged):
        deploy(genesys, "a", "b", "c")
    genesys.refusals.clear()
    assert deploy(genesys, "a", "b", "c") == "done"
    assert genesys.put == ["a", "c", "b"]


def test_what_appears_after_the_reading_is_not_overwritten() -> None:
    theirs = Configuration(version="1", document={"launcher": "left"})
    genesys = Organizations(meanwhile={"a": theirs})
    assert deploy(genesys, "a") == "done"
    assert genesys.documents["a"].version == "2"
    assert genesys.documents["a"].document["launcher"] == "left"


def test_a_pause_stops_at_once() -> None:
    pause = RateLimited(retry_after=1, system="genesys", method="PUT", route="/", status=429)
    genesys = Organizations(refusals={"b": pause})
    with pytest.raises(RateLimited):
        deploy(genesys, "a", "b", "c")
    assert genesys.put == ["a"]


def test_the_error_of_a_single_organisation_needs_no_list() -> None:
    with pytest.raises(ApiError) as raised:
        deploy(Organizations(refusals={"a": fakes.not_found()}), "a")
    assert str(raised.value) == "genesys answered 404 to GET /fake"


def test_every_organisation_is_locked() -> None:
    message = parse(DeployConfig, {"organization_ids": ["a", "b"], "config": CONFIG})
    assert OPERATION.locks(message) == ("configuration:a", "configuration:b")


def test_a_platform_deployment_is_unsupported() -> None:
    message = parse(DeployConfig, {"deployment_id": "d", "configuration_id": "c", "config": CONFIG})
    with pytest.raises(Unsupported, match="organization_ids"):
        OPERATION.check(message, GUIDE)


def test_only_the_source_of_a_replication_is_put() -> None:
    genesys = Organizations()
    assert deploy(genesys, "a", "b", replicate=True) == "accepted"
    assert genesys.put == ["a"]
    assert genesys.replications == [("a", ["b"], False)]


@pytest.mark.parametrize(
    "silence",
    [
        fakes.forbidden("audit:read"),
        fakes.outcome_unknown(),
        fakes.unauthenticated(),
        Postponed("the budget is spent", wait=5),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_live_is_deployed_whatever_the_audit_says(silence: WorkerError) -> None:
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    outcome = run(Organizations(silence=silence), "a", audit_window=window)
    assert outcome.status == "done"
    assert outcome.detail["audit"] == {"unavailable": str(silence)}


def test_a_repeated_deployment_follows_one_job_once_and_another_besides_it() -> None:
    genesys = Organizations()
    systems = Systems(
        genesys=cast(Genesys, genesys),
        configurations=genesys,
        customers=None,
        sync=SyncRules(),
        newest=fakes.FakeNewest(first_claim=START),
        started=START,
    )
    asked = {"organization_ids": ["a", "b"], "config": CONFIG, "replicate": True}
    message = parse(DeployConfig, asked)
    first, again = (OPERATION.use_case(message, systems).follow_ups for _ in range(2))
    assert first == again
    genesys.job_id = "job-2"
    (other,) = OPERATION.use_case(message, systems).follow_ups
    assert [each.id_after("d") for each in (*first, other)] == [
        "d:replication-job-1",
        "d:replication-job-2",
    ]


def confirm(genesys: Organizations, after: float) -> None:
    message = ConfirmReplication(
        job_id="job-1", source_id="a", target_ids=["b"], requested_at=START
    )
    confirm_replication(message, genesys, Waiting(), lambda: START + timedelta(seconds=after))


@pytest.mark.parametrize(("after", "wait"), [(0, 2), (2, 2), (10, 5), (60, 30), (600, 30)])
def test_a_running_replication_is_asked_for_less_and_less_often(after: float, wait: float) -> None:
    with pytest.raises(Postponed) as postponed:
        confirm(Organizations(), after)
    assert (postponed.value.wait, postponed.value.deadline) == (wait, 600)
