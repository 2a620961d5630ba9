"""The saga of a deployment by draft and version: what each step finds, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tasks import errors
from tasks.apis.capabilities import GUIDE, PLATFORM
from tasks.apis.deployments import Deployment, Release
from tasks.apis.genesys import AuditRecord, Genesys
from tasks.apis.systems import Systems
from tasks.deploy import OPERATION
from tasks.mapping import SyncRules
from tasks.messages import DeployConfig, RollbackDeployment, parse
from tasks.operations import Outcome
from tasks.rollback import OPERATION as ROLLBACK
from tests.unit.tasks import fakes
from tests.unit.tasks.deployments import THEIRS, FakeDeployments, not_taken
from tests.unit.tasks.test_webmessaging import CONFIG

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BASE: dict[str, Any] = {
    "name": "Web",
    "defaultLanguage": "en-us",
    "messenger": {
        "enabled": True,
        "styles": {"primaryColor": "#ffffff"},
        "homeScreen": {"enabled": True},
    },
    "customI18nLabels": [],
    "cobrowse": {"enabled": True},
}
LABELS = [
    {
        "language": "en-us",
        "localizedLabels": [{"key": "MessengerHomeHeaderTitle", "value": "Hello!"}],
    }
]
OURS = {
    **BASE,
    "messenger": {**BASE["messenger"], "styles": {"primaryColor": "#0055AA"}},
    "customI18nLabels": LABELS,
}
ELSE = {**BASE, "name": "Not published yet"}


def release(version: int) -> Release:
    return Release(configuration_id="c-1", version=str(version))


@pytest.fixture
def api() -> FakeDeployments:
    """A configuration in its first version, and a deployment that has it."""
    deployment = Deployment(id="d-1", release=release(1), document={"name": "Shop"}, active=True)
    api = FakeDeployments(deployment=deployment)
    api.edit(BASE)
    api.publish(BASE)
    return api


@dataclass
class Saga:
    """One operation over all its attempts, and the clock that runs while it waits."""

    systems: Systems
    message: Any
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def attempt(self) -> Outcome:
        operation = OPERATION if isinstance(self.message, DeployConfig) else ROLLBACK
        return operation.use_case(self.message, self.systems)

    def finish(self, most: int = 40) -> Outcome:
        """Try again after every wait, as the runner does."""
        for _ in range(most):
            try:
                return self.attempt()
            except errors.Postponed as error:
                self.wait(error)
            except errors.OutcomeUnknown:
                self.seconds[0] += 1
        raise AssertionError("the saga does not end")

    def wait(self, error: errors.Postponed) -> None:
        if error.deadline is not None and self.seconds[0] + error.wait > error.deadline:
            raise errors.Failed(str(error))
        self.seconds[0] += error.wait


def saga(api: FakeDeployments, message: Any, **systems: Any) -> Saga:
    seconds = [0.0]
    made = Systems(
        genesys=cast(Genesys, None),
        deployments=api,
        customers=None,
        sync=SyncRules(),
        newest=fakes.FakeNewest(first_claim=NOON),
        started=NOON,
        now=lambda: NOON + timedelta(seconds=seconds[0]),
        **systems,
    )
    return Saga(made, message, seconds)


def message(**fields: Any) -> DeployConfig:
    asked = {"deployment_id": "d-1", "configuration_id": "c-1", "config": CONFIG, **fields}
    return parse(DeployConfig, asked)


def deploy(api: FakeDeployments, **fields: Any) -> Saga:
    return saga(api, message(**fields))


def test_what_is_deployed_is_published_given_and_seen_live(api: FakeDeployments) -> None:
    outcome = deploy(api).finish()
    assert outcome.status == "done"
    assert outcome.detail == {
        "deployment_id": "d-1",
        "release": "c-1:2",
        "previous": "c-1:1",
        "published": True,
        "not_carried": [
            "config.font_size",
            "config.font_family",
            "config.availability_rules",
        ],
        "contrast_ratio": 7.29,
        "warnings": [],
    }
    assert api.writes == ["put_draft", "publish_draft", "put_deployment"]
    assert api.published[-1].document == OURS
    assert api.deployment.release == release(2)


def test_what_is_live_already_is_left_alone(api: FakeDeployments) -> None:
    deploy(api).finish()
    api.writes.clear()
    outcome = deploy(api).finish()
    assert (outcome.status, outcome.detail["previous"], api.writes) == ("noop", None, [])


def test_what_is_published_already_is_only_given(api: FakeDeployments) -> None:
    api.publish(OURS)
    api.edit(ELSE)
    outcome = deploy(api).finish()
    assert (outcome.status, outcome.detail["published"]) == ("done", False)
    assert api.writes == ["put_deployment"]
    assert api.draft
    assert api.draft.document == ELSE


def test_a_configuration_that_was_never_published_is_published(api: FakeDeployments) -> None:
    api.published.clear()
    deploy(api).finish()
    assert api.published[-1].document == OURS


def test_no_step_is_done_twice_however_slow_the_api_is(api: FakeDeployments) -> None:
    api.slow = 3
    assert deploy(api).finish().status == "done"
    assert api.writes == ["put_draft", "publish_draft", "put_deployment"]


@pytest.mark.parametrize("verb", ["put_draft", "publish_draft", "put_deployment"])
def test_a_step_whose_answer_was_lost_is_found_as_done(api: FakeDeployments, verb: str) -> None:
    api.lost[verb] = fakes.outcome_unknown()
    outcome = deploy(api).finish()
    assert (outcome.status, outcome.detail["release"]) == ("done", "c-1:2")
    assert api.writes == ["put_draft", "publish_draft", "put_deployment"]


@pytest.mark.parametrize("verb", ["put_draft", "publish_draft", "put_deployment"])
def test_another_operation_goes_on_from_what_a_dead_one_has_left(
    api: FakeDeployments, verb: str
) -> None:
    api.lost[verb] = fakes.outcome_unknown()
    with pytest.raises(errors.OutcomeUnknown):
        deploy(api).attempt()
    deploy(api).finish()
    assert api.writes == ["put_draft", "publish_draft", "put_deployment"]


def test_what_others_have_not_published_is_a_conflict_that_names_them(api: FakeDeployments) -> None:
    api.edit(ELSE)
    assert api.draft
    with pytest.raises(errors.Conflict, match=f"{THEIRS} of {api.draft.modified_at}.*overwrite"):
        deploy(api).finish()
    assert api.writes == []


def test_overwriting_goes_by_what_is_published(api: FakeDeployments) -> None:
    api.edit(ELSE)
    deploy(api, overwrite_existing=True).finish()
    assert api.published[-1].document == OURS


@pytest.mark.parametrize("theirs", [ELSE, OURS], ids=["otherwise", "alike"])
def test_a_draft_that_others_change_after_us_is_not_published(
    api: FakeDeployments, theirs: dict[str, Any]
) -> None:
    api.slow = 1
    deployment = deploy(api)
    with pytest.raises(errors.Postponed):
        deployment.attempt()
    api.edit(theirs)
    with pytest.raises(errors.Conflict, match=f"changed by {THEIRS}.*it was not published"):
        deployment.finish()
    assert api.writes == ["put_draft"]
    assert len(api.published) == 1


def test_a_draft_from_before_ours_is_not_taken_for_a_change(api: FakeDeployments) -> None:
    before, deployment = api.draft, deploy(api)
    api.slow = 1
    with pytest.raises(errors.Postponed):
        deployment.attempt()
    ours, api.draft = api.draft, before
    with pytest.raises(errors.Postponed, match="the draft is not stored yet"):
        deployment.attempt()
    api.draft = ours
    assert deployment.finish().status == "done"


@pytest.mark.parametrize("seconds", ["01", "00.250"])
def test_a_draft_is_ours_though_the_api_moves_its_time_when_it_is_stored(
    api: FakeDeployments, seconds: str
) -> None:
    api.slow = 1
    deployment = deploy(api)
    with pytest.raises(errors.Postponed):
        deployment.attempt()
    assert api.draft
    api.draft = replace(api.draft, modified_at=api.draft.modified_at.replace("00Z", f"{seconds}Z"))
    assert deployment.finish().status == "done"


def test_a_deployment_that_others_give_something_else_is_a_conflict(api: FakeDeployments) -> None:
    api.slow = 1
    deployment = deploy(api)

    def give() -> None:
        api.deployment = replace(api.deployment, release=release(9))

    while "deployed" not in deployment.systems.steps.done():
        with pytest.raises(errors.Postponed):
            deployment.attempt()
    give()
    with pytest.raises(errors.Conflict, match="somebody gave it c-1:9 while c-1:2 was on its way"):
        deployment.finish()


def test_what_others_give_a_deployment_before_ours_is_taken_is_not_overwritten(
    api: FakeDeployments,
) -> None:
    api.refused["put_deployment"] = not_taken(60)
    deployment = deploy(api)
    while "previous" not in deployment.systems.steps.done():
        with pytest.raises(errors.Postponed):
            deployment.attempt()
    api.refused.clear()
    api.deployment = replace(api.deployment, release=release(9))
    with pytest.raises(errors.Conflict, match="somebody gave it c-1:9 while c-1:2 was on its way"):
        deployment.finish()
    assert api.deployment.release == release(9)


def test_the_draft_that_a_failed_deployment_left_is_in_nobodys_way(api: FakeDeployments) -> None:
    api.refused["publish_draft"] = fakes.forbidden("webDeployments:configuration:add")
    failed = deploy(api)
    with pytest.raises(errors.Forbidden):
        failed.finish()
    api.refused.clear()
    colours = message(config={**CONFIG, "brand_color": "#004400"})
    assert saga(api, colours, history=failed.systems.history).finish().status == "done"


def test_what_others_put_over_such_a_draft_is_left_alone(api: FakeDeployments) -> None:
    api.refused["publish_draft"] = fakes.forbidden("webDeployments:configuration:add")
    failed = deploy(api)
    with pytest.raises(errors.Forbidden):
        failed.finish()
    api.refused.clear()
    api.edit({**OURS, "name": "Not published yet"})
    colours = message(config={**CONFIG, "brand_color": "#004400"})
    with pytest.raises(errors.Conflict, match=f"changes of {THEIRS}"):
        saga(api, colours, history=failed.systems.history).finish()


def test_a_deployment_that_is_not_there_stops_before_anything_is_written(
    api: FakeDeployments,
) -> None:
    with pytest.raises(errors.Rejected, match="deployment_id: there is no deployment d-2"):
        deploy(api, deployment_id="d-2").finish()
    assert api.writes == []


def test_a_configuration_that_is_not_there_is_refused(api: FakeDeployments) -> None:
    api.published, api.draft = [], None
    with pytest.raises(errors.Rejected, match="configuration_id: there is no configuration c-1"):
        deploy(api).finish()


@pytest.mark.parametrize(
    ("verb", "deadline"), [("put_draft", 30), ("publish_draft", 30), ("put_deployment", 60)]
)
@pytest.mark.parametrize("earlier", [0, 500])
def test_the_time_for_a_step_counts_from_its_own_beginning(
    api: FakeDeployments, verb: str, deadline: float, earlier: float
) -> None:
    api.refused[verb] = not_taken(deadline)
    deployment = deploy(api)
    deployment.seconds[0] = earlier
    with pytest.raises(errors.Failed):
        deployment.finish()
    waited = deployment.seconds[0] - earlier
    assert deadline - 5 <= waited <= deadline


def test_a_draft_that_is_never_stored_ends_the_deployment(api: FakeDeployments) -> None:
    api.slow = 1_000
    with pytest.raises(errors.Failed, match="the draft is not stored yet"):
        deploy(api).finish()


def window() -> Mapping[str, str]:
    return {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}


def test_the_audit_is_asked_once_and_waited_for(api: FakeDeployments) -> None:
    deployment, record = (
        deploy(api, audit_window=window()),
        AuditRecord(action="Update", organization_id="c-1", at="2026-05-01T12:00:00Z"),
    )
    api.audit = None
    while "audit_query" not in deployment.systems.steps.done():
        with pytest.raises(errors.Postponed) as waiting:
            deployment.attempt()
        deployment.wait(waiting.value)
    api.audit, api.refused["ask_for_changes"] = [record], fakes.outcome_unknown()
    assert deployment.finish().detail["audit"] == {"records": 1, "newest": record.at}


@pytest.mark.parametrize("silence", [fakes.forbidden("audits:audit:view"), None])
def test_what_is_live_is_deployed_whatever_the_audit_says(
    api: FakeDeployments, silence: errors.WorkerError | None
) -> None:
    api.audit = None
    if silence:
        api.refused["ask_for_changes"] = silence
    outcome = deploy(api, audit_window=window()).finish()
    why = str(silence) if silence else "no answer within 60 s"
    assert (outcome.status, outcome.detail["audit"]) == ("done", {"unavailable": why})


def test_a_message_is_checked_against_the_contract() -> None:
    OPERATION.check(message(), PLATFORM)
    with pytest.raises(errors.Unsupported, match="deploys to organization_ids"):
        OPERATION.check(message(), GUIDE)
    organizations = parse(DeployConfig, {"organization_ids": ["o"], "config": CONFIG})
    with pytest.raises(errors.Unsupported, match="each organisation is a tenant"):
        OPERATION.check(organizations, PLATFORM)
    copied = {"organization_ids": ["o", "p"], "replicate": True, "config": CONFIG}
    with pytest.raises(errors.Unsupported, match="copies nothing between organisations"):
        OPERATION.check(parse(DeployConfig, copied), PLATFORM)


def roll_back(after: Saga, api: FakeDeployments, **fields: Any) -> Saga:
    asked = RollbackDeployment(deployment_id="d-1", **fields)
    return saga(api, asked, history=after.systems.history)


def test_a_rollback_goes_back_to_what_was_there_before_ours(api: FakeDeployments) -> None:
    deployment = deploy(api)
    deployment.finish()
    outcome = roll_back(deployment, api).finish()
    assert outcome.detail == {"deployment_id": "d-1", "release": "c-1:1", "previous": "c-1:2"}
    assert api.deployment.release == release(1)
    assert api.deployment.document == {"name": "Shop"}


def test_rollbacks_go_back_one_deployment_each(api: FakeDeployments) -> None:
    deployment = deploy(api)
    deployment.finish()
    colours = {**CONFIG, "brand_color": "#004400"}
    again = saga(api, message(config=colours), history=deployment.systems.history)
    again.finish()
    for version in (2, 1):
        roll_back(deployment, api).finish()
        assert api.deployment.release == release(version)
    with pytest.raises(errors.Rejected, match="it has c-1:1, which no deployment of ours gave it"):
        roll_back(deployment, api).finish()


@pytest.mark.parametrize("lost", [True, False])
def test_a_rollback_goes_back_once_however_often_it_is_tried(
    api: FakeDeployments, lost: bool
) -> None:
    deployment = deploy(api)
    deployment.finish()
    api.slow = 3
    if lost:
        api.lost["put_deployment"] = fakes.outcome_unknown()
    roll_back(deployment, api).finish()
    assert api.writes.count("put_deployment") == 2
    assert api.deployment.release == release(1)


def test_a_rollback_to_a_release_that_is_named_can_be_undone(api: FakeDeployments) -> None:
    deployment = deploy(api)
    deployment.finish()
    roll_back(deployment, api, to="c-1:1").finish()
    roll_back(deployment, api).finish()
    assert api.deployment.release == release(2)


def test_a_rollback_after_somebody_elses_deployment_names_what_it_found(
    api: FakeDeployments,
) -> None:
    deployment = deploy(api)
    deployment.finish()
    api.deployment = replace(api.deployment, release=release(9))
    with pytest.raises(errors.Rejected, match="it has c-1:9, which no deployment of ours gave it"):
        roll_back(deployment, api).finish()


def test_a_release_without_a_version_is_refused(api: FakeDeployments) -> None:
    with pytest.raises(errors.Rejected, match="to: must be CONFIGURATION:VERSION"):
        roll_back(deploy(api), api, to="c-1").finish()


def test_a_rollback_is_unsupported_where_there_are_no_versions() -> None:
    asked = RollbackDeployment(deployment_id="d-1")
    ROLLBACK.check(asked, PLATFORM)
    with pytest.raises(errors.Unsupported, match="the guide contract knows no versions"):
        ROLLBACK.check(asked, GUIDE)
