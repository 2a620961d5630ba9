"""Control: journal, effects, state, clients, options, reset, and the server's own process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jwt
import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle, running

Ask = Callable[..., requests.Response]
NOTHING = "/api/v2/interactions/contacts/none"


def test_the_journal_tells_what_was_asked(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    genesys("GET", f"{NOTHING}?a=1&b=&c=x%20y", headers={"X-Correlation-Id": "corr"})
    [entry] = sandbox.journal(correlation_id="corr")
    assert entry.pop("ms") >= 0
    assert entry == {
        "seq": 2,
        "at": clock.now,
        "system": "genesys",
        "client": "sandbox-client",
        "organization": "default",
        "method": "GET",
        "path": NOTHING,
        "query": {"a": "1", "b": "", "c": "x y"},
        "route": "/api/v2/interactions/contacts/{contactId}",
        "status": 400,
        "correlation_id": "corr",
        "remaining": 299,
    }


def test_the_journal_is_filtered(sandbox: SandboxHandle, genesys: Ask, cxone: Ask) -> None:
    genesys("GET", NOTHING)
    genesys("GET", "/api/v2/identity/profiles/none")
    cxone("PUT", "/api/v2/customers/none/attributes", json={})
    for filters, found in (
        ({}, 5),
        ({"system": "cxone"}, 2),
        ({"method": "GET"}, 2),
        ({"route": "/oauth/token"}, 2),
        ({"path": NOTHING}, 1),
        ({"status": 404}, 2),
        ({"client": "sandbox-cxone"}, 2),
        ({"organization": "default"}, 5),
        ({"organization": "acme"}, 0),
        ({"since": 3}, 2),
        ({"limit": 2}, 2),
        ({"system": "genesys", "status": 200}, 1),
    ):
        assert len(sandbox.journal(**filters)) == found, filters
    assert [each["seq"] for each in sandbox.journal(since=2, limit=2)] == [3, 4]


@pytest.mark.parametrize("filters", [{"colour": "red"}, {"since": "x"}, {"limit": "all"}])
def test_an_unknown_filter_is_refused(sandbox: SandboxHandle, filters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="filter: "):
        sandbox.journal(**filters)


def test_the_journal_forgets_the_oldest() -> None:
    with running(journal_limit=3) as handle, requests.Session() as session:
        session.trust_env = False
        for _ in range(5):
            session.get(handle.genesys_url + NOTHING, timeout=10)
        assert [each["seq"] for each in handle.journal()] == [3, 4, 5]
        assert handle.summary()["requests"][0]["count"] == 5


def test_nothing_that_was_sent_keeps_the_journal_from_being_read(
    sandbox: SandboxHandle, genesys: Ask, send: Ask
) -> None:
    odd = {"X-Correlation-Id": b"caf\xe9", "If-Match": b"\xff"}
    genesys("GET", "/api/v2/nothing/%ED%A0%80?x=%ED%A0%80", headers=odd)
    assertion = jwt.encode({"iss": "\ud800"}, "secret" * 8)
    send("POST", f"{sandbox.genesys_url}/oauth/token", data={"assertion": assertion})
    entries = sandbox.journal(since=1)
    assert (entries[0]["correlation_id"], entries[0]["if_match"]) == ("caf?", "?")
    assert entries[1]["client"] == "?"


def test_effects_belong_to_their_request(sandbox: SandboxHandle, genesys: Ask) -> None:
    target, source = sandbox.ids("profiles")[:2]
    body = {"sourceProfileIds": [source], "targetProfileId": target, "mergePolicy": "custom"}
    headers = {"X-Correlation-Id": "corr"}
    genesys("POST", "/api/v2/identity/profiles/merge", json=body, headers=headers)
    [effect] = sandbox.effects(correlation_id="corr", organization="default", system="genesys")
    [entry] = sandbox.journal(correlation_id="corr")
    assert effect["request_seq"] == entry["seq"]
    assert effect["at"] == entry["at"]
    assert sandbox.effects(kind="configuration.put") == []


def test_the_summary_counts(sandbox: SandboxHandle, genesys: Ask) -> None:
    genesys("GET", NOTHING)
    genesys("GET", NOTHING)
    target, source = sandbox.ids("profiles")[:2]
    body = {"sourceProfileIds": [source], "targetProfileId": target, "mergePolicy": "custom"}
    genesys("POST", "/api/v2/identity/profiles/merge", json=body)
    summary = sandbox.summary()
    assert summary["effects"] == {"profiles.merged": 1}
    assert {
        "system": "genesys",
        "method": "GET",
        "route": "/api/v2/interactions/contacts/{contactId}",
        "status": 404,
        "count": 2,
    } in summary["requests"]


STATE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("profiles", {}, {"profileId": "x", "customAttributes": {}, "links": []}),
    ("consents", {"consents": []}, {"consents": []}),
    ("conversations", {}, {"id": "x", "state": "active", "participants": []}),
    ("contacts", {}, {"contactId": "x", "attributes": {}}),
    ("customers", {}, {"customerId": "x", "attributes": {}}),
    ("configurations", {"a": Decimal("1.50")}, {"organizationId": "x", "version": 1, "a": 1.5}),
    (
        "interactions",
        {},
        {
            "id": "x",
            "type": "webmessaging",
            "state": "completed",
            "messages": [],
            "participants": [],
            "startTime": "2027-01-15T08:00:00.000Z",
        },
    ),
]


@pytest.mark.parametrize(("kind", "body", "document"), STATE)
def test_state_is_put_with_defaults_and_read_back(
    sandbox: SandboxHandle, kind: str, body: dict[str, Any], document: dict[str, Any]
) -> None:
    for organization in ("default", "founded"):
        assert sandbox.put(kind, "x", body, organization) == document
        assert sandbox.get(kind, "x", organization) == document
        assert "x" in sandbox.ids(kind, organization)
    with pytest.raises(ValueError, match="was not found"):
        sandbox.get(kind, "x", "acme")


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("profiles", {"links": ["x"]}, "links.0"),
        ("consents", {}, "consents"),
        ("consents", {"consents": [{"purpose": "a", "status": "maybe"}]}, "consents.0.status"),
        ("conversations", {"state": "open"}, "state"),
        (
            "conversations",
            {"participants": [{"participantAttributes": {"a": 1}}]},
            "participants.0.participantAttributes.a",
        ),
        ("configurations", {"version": 0}, "version"),
        ("interactions", {"startTime": "now"}, "startTime"),
        ("interactions", {"messages": [{"text": "x"}]}, "messages.0.id"),
        ("planets", {}, "kind"),
    ],
)
def test_wrong_state_is_refused_by_its_field(
    sandbox: SandboxHandle, kind: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValueError, match=f": {re.escape(field)}: "):
        sandbox.put(kind, "x", body)


def test_an_organization_that_gets_a_configuration_is_known(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    sandbox.put("configurations", "org-900", {})
    assert "org-900" in sandbox.organizations()["default"]
    path = "/api/v2/webchat/organizations/org-900/configurations"
    assert genesys("GET", path).json()["version"] == 1


def test_the_seeded_organizations_manage_different_ones(sandbox: SandboxHandle) -> None:
    managed = sandbox.organizations()
    assert managed["default"][:2] == ["org-001", "org-002"]
    assert len(managed["default"]) == 70
    assert not set(managed["default"]) & set(managed["acme"])


def test_the_seeded_amounts(sandbox: SandboxHandle) -> None:
    kinds = ("profiles", "conversations", "contacts", "configurations", "interactions")
    assert [len(sandbox.ids(kind)) for kind in kinds] == [400, 120, 300, 60, 300]
    assert all(0 < len(sandbox.ids(kind, "acme")) < 100 for kind in kinds)


def test_a_client_is_added_and_changed(sandbox: SandboxHandle, ask_as: Callable[..., Ask]) -> None:
    sandbox.put_client(
        "mine",
        system="genesys",
        organization="new",
        secret="s",
        scopes=["interaction:contact:read"],
        requests_per_minute=5,
        token_seconds=60,
    )
    shown = {each["client_id"]: each for each in sandbox.clients()}["mine"]
    assert shown == {
        "client_id": "mine",
        "system": "genesys",
        "organization": "new",
        "scopes": ["interaction:contact:read"],
        "permissions": None,
        "divisions": None,
        "requests_per_minute": 5,
        "token_seconds": 60,
        "public_key": None,
    }
    ask = ask_as("mine", "s")
    assert ask("GET", NOTHING).headers["X-RateLimit-Remaining"] == "4"
    sandbox.put_client("mine", requests_per_minute=50)
    assert ask("GET", NOTHING).headers["X-RateLimit-Remaining"] == "48"


@pytest.mark.parametrize(
    "fields",
    [
        {"system": "genesys"},
        {"system": "sap", "organization": "default"},
        {"system": "genesys", "organization": "default", "requests_per_minute": 0},
        {"system": "genesys", "organization": "default", "colour": "red"},
    ],
)
def test_a_wrong_client_is_refused_without_its_secret(
    sandbox: SandboxHandle, fields: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="PUT /clients/mine: ") as caught:
        sandbox.put_client("mine", secret="hush", **fields)
    assert "hush" not in str(caught.value)


def test_wrong_options_are_refused(sandbox: SandboxHandle) -> None:
    assert sandbox.options(retry_after="date")["retry_after"] == "date"
    for wrong in ({"retry_after": "soon"}, {"configuration_get": 500}, {"speed": 1}):
        with pytest.raises(ValueError, match="PUT /options: "):
            sandbox.options(**wrong)


def test_a_reset_begins_again(sandbox: SandboxHandle, genesys: Ask) -> None:
    ids = sandbox.ids("profiles")
    sandbox.put("profiles", "mine", {})
    sandbox.put_client("mine", system="genesys", organization="default", secret="s")
    sandbox.options(requests_per_minute=1)
    sandbox.fault(kind="status", status=500, times=None)
    genesys("GET", NOTHING)
    sandbox.reset()
    assert sandbox.ids("profiles") == ids
    assert (sandbox.journal(), sandbox.effects(), sandbox.faults()) == ([], [], [])
    assert len(sandbox.clients()) == 11
    assert sandbox.options()["requests_per_minute"] == 300
    assert genesys("GET", NOTHING).status_code == 401
    sandbox.reset(seed=8)
    assert sandbox.ids("profiles") != ids


def test_control_speaks_json(sandbox: SandboxHandle, send: Ask) -> None:
    assert send("GET", f"{sandbox.url}/sandbox/health").json()["status"] == "ok"
    for data in (b"{", b"[]"):
        answer = send("POST", f"{sandbox.url}/sandbox/reset", data=data)
        assert answer.status_code == 400
    assert send("POST", f"{sandbox.url}/sandbox/reset", json={"seed": "x"}).status_code == 400
    assert send("GET", f"{sandbox.url}/sandbox/nothing").status_code == 404
    assert send("GET", f"{sandbox.url}/nothing").status_code == 404
    assert sandbox.journal() == []


def test_many_callers_are_served_at_once(sandbox: SandboxHandle, genesys: Ask) -> None:
    sandbox.fault(kind="latency", seconds=0.3, times=None)
    headers = {"Authorization": genesys("GET", NOTHING).request.headers["Authorization"]}
    started, answers = threading.Barrier(10), []

    def call() -> None:
        started.wait()
        answers.append(requests.get(sandbox.genesys_url + NOTHING, headers=headers, timeout=10))

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.status_code for each in answers] == [404] * 10
    entries = sandbox.journal(client="sandbox-client", path=NOTHING)[1:]
    # Ten waits of 0.3 s one after the other would be three seconds.
    assert sum(each["ms"] for each in entries) >= 10 * 300
    assert {each["remaining"] for each in entries} == set(range(289, 299))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_says_where_it_listens_and_stops_when_told(number: int) -> None:
    command = [sys.executable, "-c", "from workers.sandbox import serve; serve()"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"sandbox listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert found is not None
        health = requests.get(f"{found[1]}/sandbox/health", timeout=10)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (health.status_code, process.returncode, rest, errors) == (200, 0, "", "")


def test_a_sandbox_stops_while_a_request_still_waits() -> None:
    answers: list[str] = []

    def call(url: str) -> None:
        try:
            requests.get(url, timeout=30)
        except requests.ConnectionError as error:
            answers.append(type(error).__name__)

    with running() as handle:
        handle.fault(kind="latency", seconds=25, times=None)
        caller = threading.Thread(target=call, args=(handle.genesys_url + NOTHING,))
        caller.start()
        while not handle.journal():
            pass
    caller.join(timeout=10)
    assert answers == ["ConnectionError"]


def test_a_stopped_sandbox_listens_no_more() -> None:
    with running() as handle:
        url = handle.url
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/sandbox/health", timeout=10)
