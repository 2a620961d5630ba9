"""Faults: each kind, and which requests it hits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.waiting import wait_until
from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
PARTICIPANTS = "/api/v2/conversations/voice/participants"
NOTHING = "/api/v2/interactions/contacts/none"


@pytest.fixture
def talk(sandbox: SandboxHandle, genesys: Ask) -> str:
    """A conversation whose participants the client has read."""
    sandbox.put("conversations", "talk", {"participants": [{"id": "p"}, {"id": "q"}]})
    genesys("GET", PARTICIPANTS, params={"conversationId": "talk"})
    return "talk"


def patch(ask: Ask, value: str = "1") -> requests.Response:
    return ask("PATCH", f"{PARTICIPANTS}/p", json={"participantAttributes": {"a": value}})


def test_a_status_is_answered_instead_of_the_effect(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    sandbox.fault(kind="status", status=503, method="PATCH", headers={"Retry-After": "7"})
    answer = patch(genesys)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json()["code"] == "fault.injected"
    assert answer.json()["contextId"] == answer.headers["X-Correlation-Id"]
    assert sandbox.effects() == []
    assert patch(genesys).status_code == 200
    faults = [(each.get("fault"), each["status"]) for each in sandbox.journal(method="PATCH")]
    assert faults == [("status", 503), (None, 200)]


def test_a_status_may_bring_its_own_body(sandbox: SandboxHandle, genesys: Ask) -> None:
    sandbox.fault(kind="status", status=422, body={"errors": []})
    assert genesys("GET", NOTHING).json() == {"errors": []}


def test_a_reset_before_has_no_effect_and_a_reset_after_has_one(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    for kind, effects, status in (("reset_before", 0, 0), ("reset_after", 1, 200)):
        sandbox.fault(kind=kind, method="PATCH")
        with pytest.raises(requests.ConnectionError):
            patch(genesys)
        assert len(sandbox.effects(kind="participant.attributes")) == effects
        entry = sandbox.journal(method="PATCH")[-1]
        assert (entry["fault"], entry["status"]) == (kind, status)
    assert patch(genesys).status_code == 200


@pytest.mark.parametrize(("kind", "effects"), [("latency", 0), ("latency_after", 1)])
def test_latency_delays_the_effect_and_latency_after_only_the_answer(
    sandbox: SandboxHandle, genesys: Ask, talk: str, kind: str, effects: int
) -> None:
    fault = sandbox.fault(kind=kind, method="PATCH", seconds=20, times=1)
    with pytest.raises(requests.ReadTimeout):
        _impatient(genesys("GET", NOTHING), sandbox)
    wait_until(lambda: _hits(sandbox, fault) == 1, 30, "it has arrived")
    assert len(sandbox.effects(kind="participant.attributes")) == effects


def _hits(sandbox: SandboxHandle, fault: str) -> int:
    """Return how many requests a fault has hit."""
    return {each["id"]: int(each["hits"]) for each in sandbox.faults()}[fault]


def _impatient(authorized: requests.Response, sandbox: SandboxHandle) -> None:
    headers = {"Authorization": authorized.request.headers["Authorization"]}
    url = f"{sandbox.genesys_url}{PARTICIPANTS}/p"
    body = {"participantAttributes": {"a": "1"}}
    requests.patch(url, json=body, headers=headers, timeout=0.5)


def test_a_slow_body_arrives_whole(sandbox: SandboxHandle, genesys: Ask) -> None:
    sandbox.fault(kind="slow_body", seconds=0.3)
    started = time.monotonic()
    answer = genesys("GET", NOTHING)
    assert time.monotonic() - started >= 0.3
    assert answer.json()["status"] == 404


def test_a_truncated_body_does_not_arrive_whole(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    sandbox.fault(kind="truncated_body", method="PATCH")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        patch(genesys)
    assert len(sandbox.effects(kind="participant.attributes")) == 1
    assert patch(genesys).status_code == 200


def test_tokens_may_expire_at_once(sandbox: SandboxHandle, ask_as: Callable[..., Ask]) -> None:
    one, other = (ask_as("sandbox-client", "sandbox-secret") for _ in range(2))
    stranger = ask_as("acme-client", "acme-secret")
    sandbox.fault(kind="expire_tokens", client="sandbox-client")
    assert stranger("GET", NOTHING).status_code == 404
    assert [ask("GET", NOTHING).status_code for ask in (one, other)] == [401, 401]
    assert ask_as("sandbox-client", "sandbox-secret")("GET", NOTHING).status_code == 404
    assert stranger("GET", NOTHING).status_code == 404


def test_a_foreign_write_makes_the_next_write_a_conflict(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    for path, state in ((PARTICIPANTS, "held"), (f"{PARTICIPANTS}/p", "ringing")):
        changes = {"participantAttributes": {"a": "theirs"}, "state": state}
        sandbox.fault(kind="foreign_write", method="GET", changes=changes)
        read = genesys("GET", path, params={"conversationId": talk})
        assert state not in read.text
        assert patch(genesys).status_code == 409
        again = genesys("GET", f"{PARTICIPANTS}/p", params={"conversationId": talk}).json()
        assert (again["participantAttributes"], again["state"]) == ({"a": "theirs"}, state)
        assert patch(genesys, "mine").status_code == 200


def test_a_foreign_write_moves_a_configurations_version(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    path = "/api/v2/webchat/organizations/org-001/configurations"
    changes = {"launcher": {"label": "Ask us"}}
    sandbox.fault(kind="foreign_write", method="GET", changes=changes, times=2)
    for _ in range(2):
        read = genesys("GET", path).json()
        headers = {"If-Match": str(read["version"])}
        answer = genesys("PUT", path, json=read, headers=headers)
        assert (answer.status_code, answer.json()["version"]) == (409, read["version"] + 1)
    read = genesys("GET", path).json()
    assert read["launcher"]["label"] == "Ask us"
    assert "position" in read["launcher"]
    headers = {"If-Match": str(read["version"])}
    assert genesys("PUT", path, json=read, headers=headers).status_code == 200


def test_a_foreign_merge_makes_the_next_merge_a_conflict(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    target, source = sandbox.ids("profiles")[:2]
    changes = {"links": [{"profileId": source}]}
    sandbox.fault(kind="foreign_write", method="GET", changes=changes)
    genesys("GET", f"/api/v2/identity/profiles/{target}")
    body = {"sourceProfileIds": [source], "targetProfileId": target, "mergePolicy": "custom"}
    answer = genesys("POST", "/api/v2/identity/profiles/merge", json=body)
    assert answer.json()["code"] == "profile.already.linked"


def test_a_foreign_write_adds_messages_to_a_live_chat(sandbox: SandboxHandle, genesys: Ask) -> None:
    sandbox.put("interactions", "i", {"state": "active", "messages": [{"id": "m1", "text": "a"}]})
    message = {"id": "m2", "text": "b"}
    sandbox.fault(kind="foreign_write", method="GET", changes={"messages": [message]})
    read = genesys("GET", "/api/v2/interactions/i").json()
    assert [each["id"] for each in read["messages"]] == ["m1"]
    assert len(sandbox.get("interactions", "i")["messages"]) == 2


def test_a_foreign_write_hits_nothing_where_nothing_was_found(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    sandbox.fault(kind="foreign_write", changes={"a": 1}, times=None)
    for path in (
        NOTHING,
        "/api/v2/identity/profiles/none",
        f"{PARTICIPANTS}/none?conversationId=none",
        "/api/v2/interactions/none",
        "/api/v2/webchat/organizations/none/configurations",
    ):
        assert genesys("GET", path).status_code == 404
    assert sandbox.effects() == []


def test_a_foreign_write_waits_for_a_call_that_is_carried_out(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    fault = sandbox.fault(kind="foreign_write", method="GET", changes={"state": "held"})
    sandbox.fault(kind="status", status=429, path=PARTICIPANTS)
    sandbox.fault(kind="expire_tokens", path=PARTICIPANTS, skip=1)
    for status in (429, 401):
        refused = genesys("GET", PARTICIPANTS, params={"conversationId": talk})
        assert refused.status_code == status
        assert {each["id"]: each["hits"] for each in sandbox.faults()}[fault] == 0
    assert sandbox.effects() == []


@pytest.mark.parametrize(
    ("route", "changes", "field"),
    [
        ("/api/v2/identity/profiles/{id}", {"links": ["x"]}, "changes.links.0"),
        ("/api/v2/identity/profiles/{id}", {"customAttributes": None}, "changes.customAttributes"),
        ("/api/v2/identity/profiles/{id}", {"profileId": "x"}, "changes.profileId"),
        (f"{PARTICIPANTS}/{{participantId}}", {"lastUpdated": "soon"}, "changes.lastUpdated"),
        (f"{PARTICIPANTS}/{{participantId}}", {"id": "x"}, "changes.id"),
        ("/api/v2/interactions/{id}", {"messages": [{}]}, "changes.messages.0.id"),
        ("/api/v2/customers/{customerId}/attributes", {"attributes": 1}, "changes.attributes"),
    ],
)
def test_changes_that_no_document_could_take_are_refused(
    sandbox: SandboxHandle, route: str, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=rf"POST /faults: {field}: "):
        sandbox.fault(kind="foreign_write", route=route, changes=changes)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"system": "sap"}, "no operation"),
        ({"method": "TRACE"}, "no operation"),
        ({"route": "/api/v2/interactions/contact/{contactId}"}, "no operation"),
        ({"method": "PUT", "route": "/api/v2/interactions/{id}"}, "no operation"),
        ({"system": "cxone", "route": "/api/v2/interactions/{id}"}, "no operation"),
        ({"path": "/genesys" + NOTHING}, "no operation"),
        ({"route": "/api/v2/profiles/{id}/consent"}, "nobody else writes"),
        ({"route": "/oauth/token"}, "nobody else writes"),
        ({"path": "/api/v2/interactions/query", "method": "POST"}, "nobody else writes"),
    ],
)
def test_a_fault_that_can_never_hit_is_refused(
    sandbox: SandboxHandle, where: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=rf"POST /faults: .*{reason}"):
        sandbox.fault(kind="foreign_write", changes={"a": 1}, **where)
    assert sandbox.faults() == []


def test_a_foreign_write_follows_a_write_too(
    sandbox: SandboxHandle, genesys: Ask, cxone: Ask, talk: str
) -> None:
    sandbox.fault(kind="foreign_write", method="PATCH", changes={"state": "held"})
    path = f"{PARTICIPANTS}/p"
    body = {"participantAttributes": {"a": "1"}}
    assert genesys("PATCH", path, json=body).status_code == 200
    assert genesys("PATCH", path, json=body).status_code == 409
    customer = sandbox.ids("customers")[0]
    attributes = {"b": {"value": "theirs", "type": "string"}}
    sandbox.fault(kind="foreign_write", method="PUT", changes={"attributes": attributes})
    mine = {"attributes": [{"name": "a", "value": "mine", "type": "string"}]}
    assert cxone("PUT", f"/api/v2/customers/{customer}/attributes", json=mine).status_code == 200
    assert set(sandbox.get("customers", customer)["attributes"]) == {"a", "b"}
    assert len(sandbox.effects(kind="foreign.write")) == 2


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"system": "genesys"}, True),
        ({"system": "cxone"}, False),
        ({"method": "GET"}, True),
        ({"method": "PATCH"}, False),
        ({"route": "/api/v2/interactions/contacts/{contactId}"}, True),
        ({"route": "/api/v2/interactions/{id}"}, False),
        ({"path": NOTHING}, True),
        ({"path": "/api/v2/interactions/contacts/other"}, False),
        ({"client": "sandbox-client"}, True),
        ({"client": "acme-client"}, False),
        ({"method": "GET", "client": "acme-client"}, False),
    ],
)
def test_a_fault_hits_what_agrees_with_every_field(
    sandbox: SandboxHandle, genesys: Ask, match: dict[str, str], hit: bool
) -> None:
    sandbox.fault(kind="status", status=500, **match)
    assert genesys("GET", NOTHING).status_code == (500 if hit else 404)


def test_a_token_request_may_fail(sandbox: SandboxHandle, send: Ask) -> None:
    sandbox.fault(kind="status", status=500, route="/oauth/token", client="sandbox-client")
    form = {"grant_type": "client_credentials"}
    url = f"{sandbox.genesys_url}/oauth/token"
    answers = [
        send("POST", url, data=form, auth=("sandbox-client", "sandbox-secret")) for _ in "12"
    ]
    assert [each.status_code for each in answers] == [500, 200]


@pytest.mark.parametrize(
    ("counts", "statuses"),
    [
        ({}, [500, 404, 404, 404]),
        ({"times": 2}, [500, 500, 404, 404]),
        ({"times": None}, [500, 500, 500, 500]),
        ({"skip": 2}, [404, 404, 500, 404]),
        ({"skip": 1, "times": 2}, [404, 500, 500, 404]),
        ({"probability": 0, "times": None}, [404, 404, 404, 404]),
    ],
)
def test_a_fault_counts(
    sandbox: SandboxHandle, genesys: Ask, counts: dict[str, Any], statuses: list[int]
) -> None:
    sandbox.fault(kind="status", status=500, **counts)
    assert [genesys("GET", NOTHING).status_code for _ in range(4)] == statuses


def test_chance_follows_the_seed(sandbox: SandboxHandle, genesys: Ask) -> None:
    def statuses() -> list[int]:
        sandbox.fault(kind="status", status=500, times=None, probability=0.5)
        return [genesys("GET", NOTHING, headers={}).status_code for _ in range(40)]

    first = statuses()
    assert 5 < first.count(500) < 35
    sandbox.reset()
    token = {"grant_type": "client_credentials"}
    url = f"{sandbox.genesys_url}/oauth/token"
    auth = ("sandbox-client", "sandbox-secret")
    # Equal seeds give out equal tokens, too.
    assert requests.post(url, data=token, auth=auth, timeout=10).status_code == 200
    assert statuses() == first


def test_several_faults_hit_one_request(sandbox: SandboxHandle, genesys: Ask, talk: str) -> None:
    sandbox.fault(kind="latency", seconds=0, times=None)
    sandbox.fault(kind="reset_after", method="PATCH")
    with pytest.raises(requests.ConnectionError):
        patch(genesys)
    assert sandbox.journal(method="PATCH")[0]["fault"] == "latency,reset_after"


def test_faults_are_taken_back(sandbox: SandboxHandle, genesys: Ask, send: Ask) -> None:
    first = sandbox.fault(kind="status", status=500, times=None)
    second = sandbox.fault(kind="status", status=502, times=None)
    url = f"{sandbox.url}/sandbox/faults"
    assert send("DELETE", f"{url}/{first}").status_code == 200
    assert send("DELETE", f"{url}/{first}").status_code == 404
    assert [each["id"] for each in sandbox.faults()] == [second]
    assert genesys("GET", NOTHING).status_code == 502
    sandbox.clear_faults()
    assert genesys("GET", NOTHING).status_code == 404


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "earthquake"},
        {"status": 500},
        {"kind": "status"},
        {"kind": "status", "status": 99},
        {"kind": "latency", "seconds": -1},
        {"kind": "reset_before", "times": -1},
        {"kind": "reset_before", "probability": 2},
        {"kind": "reset_before", "rout": "/"},
    ],
)
def test_a_wrong_fault_is_refused(sandbox: SandboxHandle, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"POST /faults: \w+"):
        sandbox.fault(**fault)


def test_a_faulty_request_still_costs_nothing_it_did_not_reach(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    sandbox.put_client("sandbox-client", requests_per_minute=1)
    sandbox.fault(kind="status", status=500, times=5)
    assert {genesys("GET", NOTHING).status_code for _ in range(5)} == {500}
    assert genesys("GET", NOTHING).status_code == 404
