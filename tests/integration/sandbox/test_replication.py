"""Replication jobs and the audit records of what really happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle
from workers.sandbox.wire import iso

Ask = Callable[..., requests.Response]
REPLICATE = "/api/v2/webchat/configurations/replicate"
AUDIT = "/api/v2/audit/records/query"
SOURCE, TAKEN, FREE = "org-001", "org-002", "org-070"
UPDATE, COPY = "webchat:configuration:update", "webchat:configuration:replicate"


def request(**changes: Any) -> dict[str, Any]:
    return {
        "sourceOrganizationId": SOURCE,
        "targetOrganizationIds": [TAKEN, FREE],
        "configType": "webchat",
        "overwriteExisting": True,
        **changes,
    }


def test_a_job_takes_its_time_and_then_has_really_happened(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.options(replication_pending_seconds=5, replication_running_seconds=10)
    before = sandbox.get("configurations", TAKEN)
    answer = genesys("POST", REPLICATE, json=request())
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert answer.json() == {"id": job_id, "status": "PENDING"}

    def status() -> str:
        return str(genesys("GET", f"{REPLICATE}/{job_id}").json()["status"])

    assert status() == "PENDING"
    clock.advance(5)
    assert status() == "RUNNING"
    clock.advance(9.9)
    assert status() == "RUNNING"
    assert sandbox.get("configurations", TAKEN) == before
    clock.advance(0.2)
    job = genesys("GET", f"{REPLICATE}/{job_id}").json()
    assert (job["status"], job["completed"], job["skipped"]) == ("COMPLETED", [TAKEN, FREE], [])
    source = sandbox.get("configurations", SOURCE)
    for target, version in ((TAKEN, before["version"] + 1), (FREE, 1)):
        copied = sandbox.get("configurations", target)
        assert (copied["organizationId"], copied["version"]) == (target, version)
        assert copied["widget"] == source["widget"]
        assert copied["branding"] == source["branding"]
    kinds = [each["kind"] for each in sandbox.effects(subject=job_id)]
    assert kinds == ["replication.started", "replication.completed"]


def test_what_exists_is_left_alone_unless_it_may_be_overwritten(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    before = sandbox.get("configurations", TAKEN)
    job_id = genesys("POST", REPLICATE, json=request(overwriteExisting=False)).json()["id"]
    clock.advance(60)
    job = genesys("GET", f"{REPLICATE}/{job_id}").json()
    assert (job["completed"], job["skipped"]) == ([FREE], [TAKEN])
    assert sandbox.get("configurations", TAKEN) == before
    assert sandbox.get("configurations", FREE)["version"] == 1


def test_a_job_may_fail_and_then_nothing_has_changed(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.options(replication_outcome="FAILED")
    job_id = genesys("POST", REPLICATE, json=request()).json()["id"]
    clock.advance(60)
    assert genesys("GET", f"{REPLICATE}/{job_id}").json()["status"] == "FAILED"
    assert FREE not in sandbox.ids("configurations")
    assert sandbox.effects(kind="replication.completed") == []


def test_an_answer_without_an_id_is_an_acknowledgement(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.options(replication_id=False)
    answer = genesys("POST", REPLICATE, json=request())
    assert (answer.status_code, answer.json()) == (202, {"status": "ACCEPTED"})
    clock.advance(60)
    assert FREE in sandbox.ids("configurations")


def test_a_job_copies_what_the_source_was_when_it_was_asked_for(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    asked = sandbox.get("configurations", SOURCE)
    genesys("POST", REPLICATE, json=request())
    sandbox.put("configurations", SOURCE, {**asked, "widget": {}})
    clock.advance(60)
    assert sandbox.get("configurations", FREE)["widget"] == asked["widget"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"targetOrganizationIds": []}, 400),
        ({"targetOrganizationIds": [TAKEN, TAKEN]}, 400),
        ({"targetOrganizationIds": [SOURCE]}, 422),
        ({"targetOrganizationIds": ["org-999"]}, 404),
        ({"targetOrganizationIds": ["org-101"]}, 404),
        ({"sourceOrganizationId": "org-999"}, 404),
        ({"sourceOrganizationId": FREE, "targetOrganizationIds": [TAKEN]}, 404),
        ({"configType": "voice"}, 400),
        ({"overwriteExisting": "no"}, 400),
        ({"force": True}, 400),
    ],
)
def test_a_wrong_request_starts_nothing(
    sandbox: SandboxHandle, genesys: Ask, changes: dict[str, Any], status: int
) -> None:
    assert genesys("POST", REPLICATE, json=request(**changes)).status_code == status
    assert sandbox.effects() == []


def test_an_unknown_job_is_404(genesys: Ask) -> None:
    assert genesys("GET", f"{REPLICATE}/none").status_code == 404


def audit(ask: Ask, clock: ManualClock, **changes: Any) -> requests.Response:
    body = {
        "query": {
            "actions": [UPDATE, COPY],
            "organizations": [SOURCE, TAKEN, FREE],
            "timeRange": {"start": iso(clock.now - 3600), "end": iso(clock.now + 1)},
            **changes.pop("query", {}),
        },
        "pageSize": 25,
        "page": 1,
        **changes,
    }
    return ask("POST", AUDIT, json=body)


def write(sandbox: SandboxHandle, ask: Ask, organization_id: str) -> int:
    document = sandbox.get("configurations", organization_id)
    path = f"/api/v2/webchat/organizations/{organization_id}/configurations"
    document["greetings"]["delayMs"] = 1000
    answer = ask("PUT", path, json=document, headers={"If-Match": str(document["version"])})
    assert answer.status_code == 200
    return int(answer.json()["version"])


def test_the_audit_tells_of_every_put_and_of_every_copy(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    version = write(sandbox, genesys, SOURCE)
    genesys("POST", REPLICATE, json=request(overwriteExisting=False))
    clock.advance(60)
    body = audit(genesys, clock).json()
    assert (body["page"], body["pageSize"], body["total"]) == (1, 25, 2)
    put, copied = body["records"]
    assert put == {
        "id": put["id"],
        "action": UPDATE,
        "organizationId": SOURCE,
        "clientId": "sandbox-client",
        "timestamp": iso(clock.now - 60),
        "version": version,
    }
    assert (copied["action"], copied["organizationId"], copied["version"]) == (COPY, FREE, 1)
    # A job's end is dated when it was due, not when somebody looked.
    assert copied["timestamp"] == iso(clock.now - 58.5)


def test_audit_pages_hold_every_record_once(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    versions = []
    for _ in range(7):
        clock.advance(1)
        versions.append(write(sandbox, genesys, SOURCE))
    pages = [audit(genesys, clock, pageSize=3, page=n).json()["records"] for n in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [each["version"] for page in pages for each in page] == versions


def test_the_audit_is_filtered(sandbox: SandboxHandle, genesys: Ask, clock: ManualClock) -> None:
    write(sandbox, genesys, SOURCE)
    now = clock.now
    for query, found in (
        ({"actions": [COPY]}, 0),
        ({"organizations": [TAKEN]}, 0),
        ({"timeRange": {"start": iso(now), "end": iso(now + 1)}}, 1),
        ({"timeRange": {"start": iso(now - 60), "end": iso(now)}}, 0),
        ({"timeRange": {"start": iso(now).replace("Z", "+00:00"), "end": iso(now + 1)}}, 1),
    ):
        assert len(audit(genesys, clock, query=query).json()["records"]) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"pageSize": 26},
        {"pageSize": 0},
        {"page": 0},
        {"query": {"actions": "all"}},
        {"query": {"timeRange": {"start": "yesterday", "end": "today"}}},
        {"query": {"who": "me"}},
    ],
)
def test_a_wrong_audit_query_is_400(
    genesys: Ask, clock: ManualClock, changes: dict[str, Any]
) -> None:
    assert audit(genesys, clock, **changes).status_code == 400


def test_a_tenant_sees_its_own_records_only(
    sandbox: SandboxHandle, genesys: Ask, ask_as: Callable[..., Ask], clock: ManualClock
) -> None:
    write(sandbox, genesys, SOURCE)
    acme = ask_as("acme-client", "acme-secret")
    assert audit(acme, clock).json()["records"] == []
