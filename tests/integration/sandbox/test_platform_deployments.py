"""The Platform API's web deployments: drafts that settle, versions, and what guests see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from workers.sandbox.platform.users import user
from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CONFIGURATIONS = "/api/v2/webdeployments/configurations"
DEPLOYMENTS = "/api/v2/webdeployments/deployments"
ME = user("platform-client")["id"]


@pytest.fixture
def configuration_id(sandbox: SandboxHandle) -> str:
    """The seeded configuration `shop`, with three versions."""
    return sandbox.ids("webConfigurations")[0]


@pytest.fixture
def deployment_id(sandbox: SandboxHandle) -> str:
    """The seeded deployment of `shop`."""
    return sandbox.ids("webDeployments", name="shop")[0]


def draft_path(configuration_id: str) -> str:
    return f"{CONFIGURATIONS}/{configuration_id}/versions/draft"


def draft(ask: Ask, configuration_id: str) -> dict[str, Any]:
    answered: dict[str, Any] = ask("GET", draft_path(configuration_id)).json()
    return answered


def publish(ask: Ask, configuration_id: str) -> requests.Response:
    return ask("POST", f"{draft_path(configuration_id)}/publish", json={})


def versions(ask: Ask, configuration_id: str) -> list[str]:
    listed = ask("GET", f"{CONFIGURATIONS}/{configuration_id}/versions").json()["entities"]
    return [each["version"] for each in listed]


def test_a_whole_object_that_was_read_can_be_put_back(
    sandbox: SandboxHandle, platform: Ask, configuration_id: str
) -> None:
    read = draft(platform, configuration_id)
    written = platform("PUT", draft_path(configuration_id), json={**read, "name": "new"})
    assert written.status_code == 200
    own = ("status", "dateModified", "lastModifiedUser")
    kept = {name: value for name, value in read.items() if name not in own}
    assert written.json() | {"name": read["name"]} == kept | {
        name: written.json()[name] for name in own
    }
    assert written.json()["lastModifiedUser"]["id"] == ME
    assert written.json()["dateModified"] > read["dateModified"]
    [effect] = sandbox.effects(kind="draft.put", subject=configuration_id)
    assert effect["detail"]["dropped"] == []


def test_what_the_system_sets_is_ignored_in_a_body(platform: Ask, configuration_id: str) -> None:
    read = draft(platform, configuration_id)
    forged = {"id": "x", "version": "9", "lastModifiedUser": {}, "datePublished": "1999-01-01"}
    written = platform("PUT", draft_path(configuration_id), json={**read, **forged}).json()
    assert (written["id"], written["version"]) == (configuration_id, "DRAFT")
    assert "datePublished" not in written
    assert written["lastModifiedUser"]["id"] == ME


def test_what_a_put_forgets_is_lost_however_deep_it_was(
    sandbox: SandboxHandle, platform: Ask, configuration_id: str
) -> None:
    sent = draft(platform, configuration_id)
    del sent["cobrowse"], sent["messenger"]["apps"]["conversations"]["humanize"]
    platform("PUT", draft_path(configuration_id), json=sent)
    [effect] = sandbox.effects(kind="draft.put")
    lost = ["cobrowse", "messenger.apps.conversations.humanize"]
    assert effect["detail"]["dropped"] == lost


def test_nulls_count_as_not_sent(platform: Ask, configuration_id: str) -> None:
    sent = draft(platform, configuration_id)
    sent["position"] = None
    sent["messenger"]["homeScreen"] = None
    written = platform("PUT", draft_path(configuration_id), json=sent).json()
    assert "position" not in written
    assert "homeScreen" not in written["messenger"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": None}, "constraint.validation"),
        ({"name": 7}, "constraint.validation"),
        ({"colour": "#FFF"}, "invalid.property"),
        ({"position": {"alignment": "Centre"}}, "invalid.value"),
        ({"position": {"sideSpace": "20"}}, "constraint.validation"),
        ({"messenger": {"styles": {"secondaryColor": "#FFF"}}}, "invalid.property"),
        ({"messenger": {"enabled": "yes"}}, "constraint.validation"),
        ({"languages": None}, "constraint.validation"),
        ({"defaultLanguage": None}, "constraint.validation"),
        ({"supportCenter": {"enabled": True}}, "constraint.validation"),
        ({"status": "Settled"}, "invalid.value"),
    ],
)
def test_a_draft_of_another_shape_is_400(
    sandbox: SandboxHandle,
    platform: Ask,
    configuration_id: str,
    changes: dict[str, Any],
    code: str,
) -> None:
    sent = draft(platform, configuration_id) | changes
    answer = platform("PUT", draft_path(configuration_id), json=sent)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert sandbox.effects() == []


def test_languages_are_required_only_where_the_messenger_is_enabled(
    platform: Ask, configuration_id: str
) -> None:
    sent = {"name": "plain", "messenger": {"enabled": False}}
    assert platform("PUT", draft_path(configuration_id), json=sent).status_code == 200


def test_a_draft_is_pending_for_a_while_and_cannot_be_touched(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    sandbox.options(draft_active_seconds=5)
    sent = draft(platform, configuration_id)
    assert sent["status"] == "Active"
    written = platform("PUT", draft_path(configuration_id), json=sent)
    assert written.json()["status"] == "Pending"
    clock.advance(4.9)
    for answer in (
        platform("PUT", draft_path(configuration_id), json=sent),
        publish(platform, configuration_id),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "illegal.operation")
    assert draft(platform, configuration_id)["status"] == "Pending"
    clock.advance(0.1)
    assert draft(platform, configuration_id)["status"] == "Active"
    assert publish(platform, configuration_id).status_code == 200


def test_publishing_makes_the_next_version_which_is_found_a_little_later(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    sandbox.options(consistency_seconds=3)
    platform(
        "PUT", draft_path(configuration_id), json=draft(platform, configuration_id) | {"name": "v4"}
    )
    clock.advance(1)
    published = publish(platform, configuration_id).json()
    assert (published["version"], published["name"]) == ("4", "v4")
    assert published["publishedUser"]["id"] == ME
    path = f"{CONFIGURATIONS}/{configuration_id}/versions/4"
    assert platform("GET", path).status_code == 404
    assert versions(platform, configuration_id) == ["DRAFT", "3", "2", "1"]
    clock.advance(3)
    assert platform("GET", path).json() == {**published, "status": "Active"}
    assert versions(platform, configuration_id) == ["DRAFT", "4", "3", "2", "1"]
    assert publish(platform, configuration_id).json()["version"] == "5"
    kinds = [(each["kind"], each["detail"].get("version")) for each in sandbox.effects()]
    assert kinds == [("draft.put", None), ("draft.published", "4"), ("draft.published", "5")]


def test_a_published_version_keeps_what_it_was(
    platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    before = platform("GET", f"{CONFIGURATIONS}/{configuration_id}/versions/3").json()
    changed = draft(platform, configuration_id) | {"name": "another"}
    platform("PUT", draft_path(configuration_id), json=changed)
    clock.advance(1)
    assert platform("GET", f"{CONFIGURATIONS}/{configuration_id}/versions/3").json() == before


def test_the_draft_is_a_version_too(platform: Ask, configuration_id: str) -> None:
    by_name = platform("GET", f"{CONFIGURATIONS}/{configuration_id}/versions/DRAFT").json()
    assert by_name == draft(platform, configuration_id)


def test_a_configuration_is_found_a_little_after_it_was_made(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.options(consistency_seconds=3, draft_active_seconds=1)
    made = platform("POST", CONFIGURATIONS, json={"name": "fresh"})
    assert (made.status_code, made.json()["status"]) == (201, "Pending")
    path = draft_path(made.json()["id"])
    clock.advance(2.9)
    assert platform("GET", path).status_code == 404
    assert platform("PUT", path, json={"name": "early"}).status_code == 404
    clock.advance(0.1)
    assert platform("GET", path).json()["createdUser"]["id"] == ME
    assert publish(platform, made.json()["id"]).json()["version"] == "1"


def test_configurations_are_listed_by_cursor(platform: Ask, clock: ManualClock) -> None:
    for number in range(3):
        platform("POST", CONFIGURATIONS, json={"name": f"more-{number}"})
    clock.advance(1)
    whole = platform("GET", CONFIGURATIONS).json()
    assert whole["total"] == 5
    assert "nextUri" not in whole
    names = [each["name"] for each in whole["entities"]]
    pages = list(_pages(platform, f"{CONFIGURATIONS}?pageSize=2", "nextUri"))
    assert [len(page["entities"]) for page in pages] == [2, 2, 1]
    assert [each["name"] for page in pages for each in page["entities"]] == names
    back = platform("GET", pages[-1]["previousUri"]).json()
    assert back["entities"] == pages[1]["entities"]
    published = platform("GET", f"{CONFIGURATIONS}?showOnlyPublished=true").json()
    found = [(each["name"], each["version"]) for each in published["entities"]]
    assert found == [("shop", "3"), ("support", "2")]


def _pages(ask: Ask, path: str, link: str) -> Iterator[dict[str, Any]]:
    while path:
        page = ask("GET", path).json()
        yield page
        path = page.get(link, "")


@pytest.mark.parametrize(
    "query", ["after=none", "before=none", "pageSize=0", "pageSize=301", "showOnlyPublished=maybe"]
)
def test_a_strange_listing_is_400(platform: Ask, query: str) -> None:
    assert platform("GET", f"{CONFIGURATIONS}?{query}").status_code == 400


def test_a_configuration_in_use_is_not_deleted(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    used = platform("DELETE", f"{CONFIGURATIONS}/{configuration_id}")
    assert (used.status_code, used.json()["code"]) == (409, "resource.conflict")
    made = platform("POST", CONFIGURATIONS, json={"name": "unused"}).json()["id"]
    clock.advance(1)
    assert platform("DELETE", f"{CONFIGURATIONS}/{made}").status_code == 204
    assert platform("GET", draft_path(made)).status_code == 404
    assert made not in sandbox.ids("webConfigurations")


def test_another_administrator_may_change_the_draft_between_two_calls(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    changes = {"messenger": {"styles": {"primaryColor": "#000000"}}}
    route = f"{CONFIGURATIONS}/{{configurationId}}/versions/draft"
    sandbox.fault(kind="foreign_write", method="PUT", route=route, changes=changes)
    sent = draft(platform, configuration_id)
    written = platform("PUT", draft_path(configuration_id), json=sent).json()
    seen = draft(platform, configuration_id)
    assert seen["lastModifiedUser"]["id"] == user("another-writer")["id"] != ME
    assert seen["dateModified"] > written["dateModified"]
    assert seen["messenger"]["styles"] == {"primaryColor": "#000000"}
    assert seen["messenger"]["apps"] == sent["messenger"]["apps"]
    assert [each["kind"] for each in sandbox.effects()] == ["draft.put", "foreign.write"]


def release(ask: Ask, deployment_id: str, version: str, **changes: Any) -> requests.Response:
    read = ask("GET", f"{DEPLOYMENTS}/{deployment_id}").json()
    chosen = {"id": read["configuration"]["id"], "version": version}
    body = {**read, "configuration": chosen, **changes}
    return ask("PUT", f"{DEPLOYMENTS}/{deployment_id}", json=body)


def live(ask: Ask, deployment_id: str) -> str:
    answered = ask("GET", f"{DEPLOYMENTS}/{deployment_id}/configurations").json()
    return str(answered["configurationVersion"]["version"])


def test_guests_see_another_version_once_the_deployment_is_active(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, deployment_id: str
) -> None:
    sandbox.options(deployment_active_seconds=10)
    put = release(platform, deployment_id, "2")
    assert (put.status_code, put.json()["status"]) == (200, "Pending")
    assert put.json()["configuration"]["version"] == "2"
    assert live(platform, deployment_id) == "3"
    clock.advance(9.9)
    assert platform("GET", f"{DEPLOYMENTS}/{deployment_id}").json()["status"] == "Pending"
    assert live(platform, deployment_id) == "3"
    clock.advance(0.1)
    assert platform("GET", f"{DEPLOYMENTS}/{deployment_id}").json()["status"] == "Active"
    assert live(platform, deployment_id) == "2"
    [effect] = sandbox.effects(kind="deployment.put", subject=deployment_id)
    detail = effect["detail"]
    assert (detail["version"], detail["previous"]["version"]) == ("2", "3")
    assert detail["dropped"] == []


def test_of_two_puts_the_later_one_becomes_active(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, deployment_id: str
) -> None:
    sandbox.options(deployment_active_seconds=10)
    release(platform, deployment_id, "1")
    clock.advance(6)
    release(platform, deployment_id, "2")
    clock.advance(6)
    assert live(platform, deployment_id) == "3"
    clock.advance(6)
    assert live(platform, deployment_id) == "2"


def test_a_version_that_cannot_be_found_yet_is_400_for_a_deployment(
    sandbox: SandboxHandle,
    platform: Ask,
    clock: ManualClock,
    configuration_id: str,
    deployment_id: str,
) -> None:
    sandbox.options(consistency_seconds=3)
    assert publish(platform, configuration_id).json()["version"] == "4"
    assert release(platform, deployment_id, "4").status_code == 400
    clock.advance(3)
    assert release(platform, deployment_id, "4").status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": None}, "constraint.validation"),
        ({"configuration": None}, "constraint.validation"),
        ({"configuration": {"id": "none", "version": "1"}}, "constraint.validation"),
        ({"configuration": {"id": "none"}}, "constraint.validation"),
        ({"allowAllDomains": True}, "constraint.validation"),
        ({"domains": []}, "invalid.property"),
        ({"status": "Live"}, "invalid.value"),
    ],
)
def test_a_deployment_of_another_shape_is_400(
    sandbox: SandboxHandle,
    platform: Ask,
    deployment_id: str,
    changes: dict[str, Any],
    code: str,
) -> None:
    answer = release(platform, deployment_id, "2", **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert release(platform, deployment_id, "9").status_code == 400
    assert release(platform, deployment_id, "DRAFT").status_code == 400
    assert sandbox.effects() == []


def test_a_deployment_is_found_and_shown_a_little_after_it_was_made(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, configuration_id: str
) -> None:
    sandbox.options(consistency_seconds=1, deployment_active_seconds=3)
    chosen = {"id": configuration_id, "version": "1"}
    made = platform("POST", DEPLOYMENTS, json={"name": "fresh", "configuration": chosen})
    assert made.status_code == 201
    path = f"{DEPLOYMENTS}/{made.json()['id']}"
    assert platform("GET", path).status_code == 404
    clock.advance(1)
    assert platform("GET", path).json()["status"] == "Pending"
    assert platform("GET", f"{path}/configurations").status_code == 404
    clock.advance(2)
    assert (
        platform("GET", f"{path}/configurations").json()["configurationVersion"]["version"] == "1"
    )


def test_deployments_are_listed_with_whole_versions_where_asked(platform: Ask) -> None:
    plain = platform("GET", DEPLOYMENTS).json()["entities"]
    expanded = platform("GET", f"{DEPLOYMENTS}?expand=Configuration").json()["entities"]
    assert [each["name"] for each in plain] == ["shop", "support"]
    assert all("messenger" not in each["configuration"] for each in plain)
    assert all("messenger" in each["configuration"] for each in expanded)
    assert platform("GET", f"{DEPLOYMENTS}?expand=everything").status_code == 400


def test_another_administrator_may_change_a_deployment(
    sandbox: SandboxHandle, platform: Ask, deployment_id: str
) -> None:
    route = f"{DEPLOYMENTS}/{{deploymentId}}"
    changes = {"configuration": {"version": "1"}}
    sandbox.fault(kind="foreign_write", method="GET", route=route, changes=changes)
    first, second = (platform("GET", f"{DEPLOYMENTS}/{deployment_id}").json() for _ in range(2))
    versions = [each["configuration"]["version"] for each in (first, second)]
    assert versions == ["3", "1"]
    assert second["lastModifiedUser"]["id"] != first["lastModifiedUser"]["id"]


def test_identity_resolution_is_kept_apart_from_the_deployment(
    platform: Ask, deployment_id: str
) -> None:
    path = f"{DEPLOYMENTS}/{deployment_id}/identityresolution"
    assert platform("GET", path).json()["resolveIdentities"] is False
    sent = {"resolveIdentities": True, "automerge": {"webTracking": True}}
    assert platform("PUT", path, json=sent).status_code == 200
    release(platform, deployment_id, "2")
    assert platform("GET", path).json()["automerge"] == {"webTracking": True}
    assert platform("PUT", path, json={"automerge": {}}).status_code == 400


@pytest.mark.parametrize(
    ("lacking", "method", "action"),
    [
        ("webDeployments:configuration:view", "GET", "versions/draft"),
        ("webDeployments:configuration:edit", "PUT", "versions/draft"),
        ("webDeployments:configuration:edit", "POST", "versions/draft/publish"),
        ("webDeployments:configuration:add", "POST", "versions/draft/publish"),
    ],
)
def test_each_permission_of_an_operation_is_needed(
    sandbox: SandboxHandle,
    platform: Ask,
    configuration_id: str,
    lacking: str,
    method: str,
    action: str,
) -> None:
    all_of_them = {f"webDeployments:configuration:{each}" for each in ("view", "edit", "add")}
    sandbox.put_client("platform-client", permissions=sorted(all_of_them - {lacking}))
    answer = platform(method, f"{CONFIGURATIONS}/{configuration_id}/{action}", json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing.permissions")
    assert lacking in answer.json()["message"]


def test_another_organization_has_its_own_deployments(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], platform: Ask, configuration_id: str
) -> None:
    acme = ask_as("acme-platform", "acme-platform-secret")
    assert acme("GET", draft_path(configuration_id)).status_code == 404
    names = [each["name"] for each in acme("GET", CONFIGURATIONS).json()["entities"]]
    assert names == ["shop", "support"]


def test_a_test_may_put_configurations_and_deployments_of_its_own(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    mine = {"draft": {"name": "mine"}, "versions": [{"name": "mine", "version": "7"}]}
    kept = sandbox.put("webConfigurations", "cfg-1", copy.deepcopy(mine))
    assert kept["draft"]["status"] == "Active"
    sandbox.put("webDeployments", "dep-1", {"configuration": {"id": "cfg-1", "version": "7"}})
    assert draft(platform, "cfg-1")["version"] == "DRAFT"
    assert live(platform, "dep-1") == "7"
    assert publish(platform, "cfg-1").json()["version"] == "8"
