"""The Platform API's audit: who did what to web deployments, asked for in two ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.platform.users import user
from workers.sandbox.testing import ManualClock, SandboxHandle
from workers.sandbox.wire import iso

Ask = Callable[..., requests.Response]
AUDIT = "/api/v2/audits/query"
REALTIME = f"{AUDIT}/realtime"
CONFIGURATIONS = "/api/v2/webdeployments/configurations"
DEPLOYMENTS = "/api/v2/webdeployments/deployments"


def interval(start: float, end: float) -> str:
    return f"{iso(start)}/{iso(end)}"


@pytest.fixture
def ids(sandbox: SandboxHandle) -> tuple[str, str]:
    """The seeded configuration `shop` and its deployment."""
    return sandbox.ids("webConfigurations")[0], sandbox.ids("webDeployments", name="shop")[0]


@pytest.fixture
def changed(platform: Ask, clock: ManualClock, ids: tuple[str, str]) -> float:
    """When this client changed the draft, published it and gave it to the deployment."""
    began = clock.now
    configuration_id, deployment_id = ids
    path = f"{CONFIGURATIONS}/{configuration_id}/versions/draft"
    platform("PUT", path, json=platform("GET", path).json())
    clock.advance(1)
    platform("POST", f"{path}/publish", json={})
    clock.advance(1)
    deployment = platform("GET", f"{DEPLOYMENTS}/{deployment_id}").json()
    chosen = {"id": configuration_id, "version": "4"}
    body = {**deployment, "configuration": chosen}
    assert platform("PUT", f"{DEPLOYMENTS}/{deployment_id}", json=body).status_code == 200
    return began


def start(ask: Ask, asked: str, **changes: Any) -> str:
    answer = ask("POST", AUDIT, json={"interval": asked, **changes})
    assert (answer.status_code, answer.json()["state"]) == (202, "Queued")
    return str(answer.json()["id"])


def results(ask: Ask, clock: ManualClock, asked: str, **changes: Any) -> list[dict[str, Any]]:
    query_id = start(ask, asked, **changes)
    clock.advance(1)
    found: list[dict[str, Any]] = ask("GET", f"{AUDIT}/{query_id}/results").json()["entities"]
    return found


def test_a_query_takes_its_time(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, changed: float
) -> None:
    sandbox.options(audit_queued_seconds=5, audit_running_seconds=10)
    path = f"{AUDIT}/{start(platform, interval(changed, clock.now + 1))}"
    for seconds, state in ((0, "Queued"), (5, "Running"), (9.9, "Running")):
        clock.advance(seconds)
        answer = platform("GET", path)
        assert (answer.status_code, answer.json()["state"]) == (202, state)
        assert platform("GET", f"{path}/results").status_code == 400
    clock.advance(0.1)
    assert platform("GET", path).json()["state"] == "Succeeded"
    assert len(platform("GET", f"{path}/results").json()["entities"]) == 3


def test_the_records_tell_what_the_writes_did(
    platform: Ask, clock: ManualClock, changed: float, ids: tuple[str, str]
) -> None:
    put, published, deployed = results(platform, clock, interval(changed, clock.now + 1))
    assert [each["action"] for each in (put, published, deployed)] == [
        "Update",
        "Publish",
        "Update",
    ]
    assert [each["entity"]["id"] for each in (put, published, deployed)] == [ids[0], *ids]
    assert {each["client"]["id"] for each in (put, published, deployed)} == {"platform-client"}
    assert [each["eventDate"] for each in (put, published, deployed)] == [
        iso(changed + seconds) for seconds in (0, 1, 2)
    ]
    [change] = deployed["propertyChanges"]
    assert change == {
        "property": "configuration.version",
        "oldValues": ["3"],
        "newValues": ["4"],
    }


def test_a_refused_write_leaves_no_record(
    platform: Ask, clock: ManualClock, ids: tuple[str, str]
) -> None:
    began = clock.now
    path = f"{CONFIGURATIONS}/{ids[0]}/versions/draft"
    assert platform("PUT", path, json={}).status_code == 400
    assert results(platform, clock, interval(began, clock.now + 1)) == []


def test_the_audit_is_filtered_and_sorted(
    platform: Ask, clock: ManualClock, changed: float, ids: tuple[str, str]
) -> None:
    def actions(**query: Any) -> list[str]:
        found = results(platform, clock, interval(changed, changed + 3), **query)
        return [each["action"] for each in found]

    def only(name: str, value: str) -> list[str]:
        return actions(filters=[{"property": name, "value": value}])

    assert only("Action", "Publish") == ["Publish"]
    assert only("EntityId", ids[1]) == ["Update"]
    assert only("EntityType", "Configuration") == ["Update", "Publish"]
    assert only("ClientId", "platform-client") == ["Update", "Publish", "Update"]
    assert only("UserId", user("platform-client")["id"]) == ["Update", "Publish", "Update"]
    assert only("TrusteeOrganizationId", "none") == []
    sort = [{"name": "Timestamp", "sortOrder": "descending"}]
    backwards = results(platform, clock, interval(changed, changed + 3), sort=sort)
    assert [each["eventDate"] for each in backwards] == [iso(changed + n) for n in (2, 1, 0)]
    both = [{"property": "Action", "value": "Update"}, {"property": "EntityId", "value": ids[0]}]
    assert actions(filters=both) == ["Update"]
    [second] = results(platform, clock, interval(changed + 1, changed + 2))
    assert second["action"] == "Publish"


def test_results_are_read_by_cursor(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, changed: float
) -> None:
    query_id = start(platform, interval(changed, clock.now + 1))
    clock.advance(1)
    path = f"{AUDIT}/{query_id}/results?pageSize=2"
    first = platform("GET", path).json()
    second = platform("GET", f"{path}&cursor={first['cursor']}").json()
    assert [len(page["entities"]) for page in (first, second)] == [2, 1]
    assert "cursor" not in second
    assert platform("GET", f"{path}&cursor=none").status_code == 400
    assert platform("GET", f"{AUDIT}/{query_id}/results?pageSize=501").status_code == 400


def test_a_query_may_fail(sandbox: SandboxHandle, platform: Ask, clock: ManualClock) -> None:
    sandbox.options(audit_outcome="Failed")
    path = f"{AUDIT}/{start(platform, interval(clock.now - 60, clock.now))}"
    clock.advance(1)
    assert platform("GET", path).json()["state"] == "Failed"
    assert platform("GET", f"{path}/results").status_code == 400


def test_the_last_fourteen_days_are_answered_at_once(
    platform: Ask, clock: ManualClock, changed: float
) -> None:
    asked = {"interval": interval(changed, clock.now + 1), "pageSize": 2, "pageNumber": 2}
    page = platform("POST", REALTIME, json=asked).json()
    assert [each["entityType"] for each in page["entities"]] == ["Deployment"]
    assert (page["total"], page["pageCount"]) == (3, 2)
    fortnight = 14 * 86_400
    asked["interval"] = interval(clock.now - fortnight, clock.now)
    assert platform("POST", REALTIME, json=asked).status_code == 200
    asked["interval"] = interval(clock.now - fortnight - 1, clock.now)
    assert platform("POST", REALTIME, json=asked).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"interval": "yesterday"},
        {"serviceName": "Everything"},
        {"filters": [{"property": "Colour", "value": "red"}]},
        {"sort": [{"name": "Colour", "sortOrder": "ascending"}]},
        {"pageSize": 5},
    ],
)
def test_a_wrong_audit_query_is_400(
    platform: Ask, clock: ManualClock, changes: dict[str, Any]
) -> None:
    asked = {"interval": interval(clock.now - 60, clock.now), **changes}
    assert platform("POST", AUDIT, json=asked).status_code == 400


def test_the_mapping_names_what_the_records_have(
    platform: Ask, clock: ManualClock, changed: float
) -> None:
    [service] = platform("GET", f"{AUDIT}/servicemapping").json()["services"]
    known = {(each["name"], action) for each in service["entities"] for action in each["actions"]}
    for record in results(platform, clock, interval(changed, clock.now + 1)):
        assert record["serviceName"] == service["name"]
        assert (record["entityType"], record["action"]) in known


def test_an_organization_sees_its_own_records_only(
    ask_as: Callable[..., Ask], clock: ManualClock, changed: float
) -> None:
    acme = ask_as("acme-platform", "acme-platform-secret")
    assert results(acme, clock, interval(changed, clock.now + 1)) == []
