"""Deployments by draft and version, by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.apis.deployments import Deployments, Release
from tasks.apis.genesys_platform.deployments import PlatformDeployments
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.errors import BadRequest, NotFound, Postponed
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

SETTINGS = PlatformSettings(draft_deadline_seconds=31, deployment_deadline_seconds=61)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock) as handle:
        yield handle


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


@pytest.fixture
def genesys(http: Http) -> PlatformDeployments:
    return PlatformDeployments(http=http, settings=SETTINGS)


@pytest.fixture
def deployment_id(sandbox: SandboxHandle) -> str:
    return sandbox.ids("webDeployments")[0]


@pytest.fixture
def configuration_id(sandbox: SandboxHandle, deployment_id: str) -> str:
    configuration: dict[str, str] = sandbox.get("webDeployments", deployment_id)["configuration"]
    return configuration["id"]


def test_the_contract_is_the_seams(genesys: PlatformDeployments) -> None:
    seam: Deployments = genesys
    assert seam is genesys


def test_a_draft_tells_who_changed_it_and_when(
    genesys: PlatformDeployments, sandbox: SandboxHandle, configuration_id: str
) -> None:
    held = sandbox.get("webConfigurations", configuration_id)["draft"]
    draft = genesys.read_draft(configuration_id)
    assert draft is not None
    assert draft.version == "draft"
    assert draft.active
    assert (draft.modified_at, draft.modified_by) == (
        held["dateModified"],
        held["lastModifiedUser"]["id"],
    )
    assert draft.document["messenger"] == held["messenger"]
    assert not draft.document.keys() & {"id", "version", "status", "dateModified", "selfUri"}


def test_a_draft_that_is_put_is_not_active_at_once(
    genesys: PlatformDeployments, sandbox: SandboxHandle, clock: ManualClock, configuration_id: str
) -> None:
    draft = genesys.read_draft(configuration_id)
    assert draft is not None
    put = genesys.put_draft(configuration_id, {**draft.document, "description": "Ours"})
    assert (put.active, put.version) == (False, "draft")
    assert put.document == {**draft.document, "description": "Ours"}
    assert sandbox.effects(kind="draft.put")[0]["detail"]["dropped"] == []
    clock.advance(1)
    seen = genesys.read_draft(configuration_id)
    assert seen is not None
    assert seen == replace(put, active=True)


def test_publishing_too_early_is_postponed_up_to_the_drafts_deadline(
    genesys: PlatformDeployments, sandbox: SandboxHandle, clock: ManualClock, configuration_id: str
) -> None:
    draft = genesys.read_draft(configuration_id)
    assert draft is not None
    genesys.put_draft(configuration_id, draft.document)
    with pytest.raises(Postponed, match=r"answered 400 illegal\.operation") as postponed:
        genesys.publish_draft(configuration_id)
    assert postponed.value.deadline == 31
    clock.advance(1)
    assert genesys.publish_draft(configuration_id)
    assert len(sandbox.effects(kind="draft.published")) == 1


def test_a_second_draft_too_early_is_postponed_too(
    genesys: PlatformDeployments, configuration_id: str
) -> None:
    draft = genesys.read_draft(configuration_id)
    assert draft is not None
    genesys.put_draft(configuration_id, draft.document)
    with pytest.raises(Postponed, match="400"):
        genesys.put_draft(configuration_id, draft.document)


def test_the_newest_version_is_the_highest_number_on_any_page(
    genesys: PlatformDeployments, sandbox: SandboxHandle, configuration_id: str
) -> None:
    held = sandbox.get("webConfigurations", configuration_id)
    pattern = held["versions"][0]
    numbers = (999, 9, *range(20, 330))
    versions = [{**pattern, "version": str(each), "description": f"v{each}"} for each in numbers]
    sandbox.put("webConfigurations", configuration_id, {**held, "versions": versions})
    published = genesys.read_published(configuration_id)
    assert published is not None
    assert (published.version, published.document["description"]) == ("999", "v999")


def test_what_has_never_been_published_has_no_published_version(
    genesys: PlatformDeployments, sandbox: SandboxHandle, configuration_id: str
) -> None:
    held = sandbox.get("webConfigurations", configuration_id)
    sandbox.put("webConfigurations", configuration_id, {**held, "versions": []})
    assert genesys.read_published(configuration_id) is None


def test_a_configuration_that_is_not_there_has_neither_draft_nor_version(
    genesys: PlatformDeployments,
) -> None:
    assert genesys.read_draft("nothing") is None
    assert genesys.read_published("nothing") is None


def test_a_release_goes_live_with_all_else_as_it_was(
    genesys: PlatformDeployments,
    sandbox: SandboxHandle,
    clock: ManualClock,
    configuration_id: str,
    deployment_id: str,
) -> None:
    release = Release(configuration_id=configuration_id, version=_publish(genesys, clock, sandbox))
    deployment = genesys.read_deployment(deployment_id)
    assert deployment.active
    genesys.put_deployment(deployment, release)
    assert genesys.read_deployment(deployment_id).release == release
    assert not genesys.read_deployment(deployment_id).active
    assert genesys.live_release(deployment_id) == deployment.release
    clock.advance(1)
    assert genesys.read_deployment(deployment_id).active
    assert genesys.live_release(deployment_id) == release
    assert sandbox.effects(kind="deployment.put")[0]["detail"]["dropped"] == []


def test_a_release_that_is_not_seen_yet_is_postponed_up_to_the_deployments_deadline(
    genesys: PlatformDeployments, deployment_id: str
) -> None:
    deployment = genesys.read_deployment(deployment_id)
    unseen = replace(deployment.release, version="4711")
    with pytest.raises(Postponed, match="400") as postponed:
        genesys.put_deployment(deployment, unseen)
    assert postponed.value.deadline == 61


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad.flow.id"),
        (400, "invalid.property"),
        (404, "scp.id.not.found"),
        (413, "payload.too.large"),
    ],
)
def test_what_no_waiting_changes_is_final(
    genesys: PlatformDeployments,
    sandbox: SandboxHandle,
    deployment_id: str,
    status: int,
    code: str,
) -> None:
    deployment = genesys.read_deployment(deployment_id)
    sandbox.fault(
        kind="status",
        system="platform",
        method="PUT",
        route="/api/v2/webdeployments/deployments/{deploymentId}",
        status=status,
        body={"code": code, "message": "?", "status": status},
    )
    with pytest.raises((BadRequest, NotFound), match=code):
        genesys.put_deployment(deployment, deployment.release)


def test_a_deployment_that_is_not_there_is_no_matter_of_waiting(
    genesys: PlatformDeployments,
) -> None:
    with pytest.raises(NotFound):
        genesys.read_deployment("nothing")


def test_what_is_live_cannot_be_seen_of_a_deployment_that_is_not_there(
    genesys: PlatformDeployments,
) -> None:
    assert genesys.live_release("nothing") is None


def _publish(genesys: PlatformDeployments, clock: ManualClock, sandbox: SandboxHandle) -> str:
    deployment = sandbox.get("webDeployments", sandbox.ids("webDeployments")[0])
    version = genesys.publish_draft(deployment["configuration"]["id"])
    clock.advance(1)
    return version
