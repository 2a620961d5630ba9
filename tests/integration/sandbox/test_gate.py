"""What every route demands before it does anything: scope, body, place, organisation."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle, running

Ask = Callable[..., requests.Response]
MERGE = "/api/v2/identity/profiles/merge"

SCOPES = [
    ("GET", "/api/v2/identity/profiles/x", "identity:profile:read"),
    ("POST", MERGE, "identity:profile:write"),
    ("GET", "/api/v2/profiles/x/consent", "consent:read"),
    ("GET", "/api/v2/conversations/voice/participants", "conversation:view"),
    ("GET", "/api/v2/conversations/voice/participants/x", "conversation:view"),
    ("PATCH", "/api/v2/conversations/voice/participants/x", "conversation:update"),
    ("GET", "/api/v2/interactions/contacts/x", "interaction:contact:read"),
    ("POST", "/api/v2/interactions/query", "interaction:read"),
    ("GET", "/api/v2/interactions/x", "interaction:read"),
    ("PATCH", "/api/v2/interactions/x", "interaction:write"),
    ("GET", "/api/v2/webchat/organizations/x/configurations", "webchat:configuration:read"),
    ("PUT", "/api/v2/webchat/organizations/x/configurations", "webchat:configuration:write"),
    ("POST", "/api/v2/webchat/configurations/replicate", "webchat:configuration:write"),
    ("GET", "/api/v2/webchat/configurations/replicate/x", "webchat:configuration:read"),
    ("POST", "/api/v2/audit/records/query", "audit:read"),
]
CXONE_SCOPES = [
    ("PUT", "/api/v2/customers/x/attributes", "customer.profile:write"),
    ("GET", "/api/v2/customers/x/attributes", "customer.profile:read"),
]


def test_every_route_names_the_scope_it_misses(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask]
) -> None:
    for client, secret, table in (
        ("sandbox-client", "sandbox-secret", SCOPES),
        ("sandbox-cxone", "sandbox-cxone-secret", CXONE_SCOPES),
    ):
        every = {scope for _, _, scope in table}
        for method, path, scope in table:
            ask = ask_as(client, secret, scope=" ".join(every - {scope}))
            body = ask(method, path).json()
            assert (body["status"], body["code"], body["scope"]) == (403, "missing.scope", scope)
            ask = ask_as(client, secret, scope=scope)
            assert ask(method, path).status_code != 403, (method, path)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", None, 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_a_body_must_be_a_json_object(
    genesys: Ask, data: bytes, content_type: str | None, status: int
) -> None:
    answer = genesys("POST", MERGE, data=data, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_json_may_name_its_charset(genesys: Ask) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = genesys("POST", MERGE, data=b"{}", headers=headers)
    assert answer.json()["message"] == "sourceProfileIds: Field required"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sourceProfileIds": ["a"], "targetProfileId": "b"}, "mergePolicy"),
        ({"sourceProfileIds": "a", "targetProfileId": "b", "mergePolicy": "c"}, "sourceProfileIds"),
        (
            {"sourceProfileIds": [1], "targetProfileId": "b", "mergePolicy": "c"},
            "sourceProfileIds.0",
        ),
        (
            {"sourceProfileIds": ["a"], "targetProfileId": "b", "mergePolicy": "c", "dryRun": True},
            "dryRun",
        ),
        (
            {"source_profile_ids": ["a"], "targetProfileId": "b", "mergePolicy": "c"},
            "sourceProfileIds",
        ),
    ],
)
def test_a_wrong_field_is_named(genesys: Ask, body: dict[str, object], field: str) -> None:
    answer = genesys("POST", MERGE, json=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    "body",
    [
        rb'{"participantAttributes": {"a": "\ud800"}}',
        rb'{"participantAttributes": {"\uDFFF": "x"}}',
        b'{"participantAttributes": {"a": "1", "a": "2"}}',
        b'{"participantAttributes": {}, "participantAttributes": {"a": "1"}}',
    ],
    ids=["half a pair", "half a pair in a name", "a name twice", "a field twice"],
)
def test_what_is_not_clearly_one_text_is_not_json(
    sandbox: SandboxHandle, genesys: Ask, body: bytes
) -> None:
    sandbox.put("conversations", "talk", {"participants": [{"id": "p"}]})
    path = "/api/v2/conversations/voice/participants"
    genesys("GET", path, params={"conversationId": "talk"})
    headers = {"Content-Type": "application/json"}
    answer = genesys("PATCH", f"{path}/p", data=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid.json")
    assert sandbox.effects() == []
    whole = rb'{"participantAttributes": {"a": "\ud83d\ude00"}}'
    assert genesys("PATCH", f"{path}/p", data=whole, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v2/identity/profiles/x?expand=all", "expand: is no parameter"),
        ("/api/v2/interactions/x?conversationId=y", "conversationId: is no parameter"),
        ("/api/v2/conversations/voice/participants?conversationID=x", "conversationID: is no"),
        ("/api/v2/conversations/voice/participants/p?conversationId=x&pageSize=1", "pageSize: is"),
        (
            "/api/v2/conversations/voice/participants?conversationId=x&conversationId=y",
            "conversationId: must not occur twice",
        ),
    ],
)
def test_a_query_parameter_that_an_operation_does_not_have_is_refused(
    genesys: Ask, path: str, message: str
) -> None:
    answer = genesys("GET", path)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


def test_a_body_of_one_byte_too_many_is_refused(genesys: Ask) -> None:
    headers = {"Content-Type": "application/json"}
    longest = b"{}".ljust(512_000)
    assert genesys("POST", MERGE, data=longest, headers=headers).status_code == 400
    answer = genesys("POST", MERGE, data=longest + b" ", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too.large")


def test_an_unknown_path_is_404_and_a_wrong_method_405(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    assert genesys("GET", "/api/v2/nothing").json()["code"] == "not.found"
    answer = genesys("DELETE", "/api/v2/identity/profiles/x")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert [each["status"] for each in sandbox.journal(route="None")] == [404, 405]


def test_a_correlation_id_is_echoed_or_made(genesys: Ask) -> None:
    mine = genesys("GET", "/api/v2/nothing", headers={"X-Correlation-Id": "my-id"})
    assert mine.headers["X-Correlation-Id"] == mine.json()["contextId"] == "my-id"
    made = genesys("GET", "/api/v2/nothing").headers["X-Correlation-Id"]
    assert str(uuid.UUID(made)) == made


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("profiles", "/api/v2/identity/profiles/{}"),
        ("consents", "/api/v2/profiles/{}/consent"),
        ("conversations", "/api/v2/conversations/voice/participants?conversationId={}"),
        ("contacts", "/api/v2/interactions/contacts/{}"),
        ("configurations", "/api/v2/webchat/organizations/{}/configurations"),
        ("interactions", "/api/v2/interactions/{}"),
    ],
)
def test_ids_of_another_organization_do_not_exist(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], kind: str, path: str
) -> None:
    entity_id = sandbox.ids(kind, organization="acme")[0]
    acme = ask_as("acme-client", "acme-secret")
    other = ask_as("sandbox-client", "sandbox-secret")
    assert acme("GET", path.format(entity_id)).status_code == 200
    answer = other("GET", path.format(entity_id))
    assert answer.status_code == 404
    assert answer.json()["details"] == [{"entityId": entity_id}]


def test_a_customer_of_another_organization_does_not_exist(
    sandbox: SandboxHandle, cxone: Ask
) -> None:
    customer = sandbox.ids("customers", organization="acme")[0]
    assert cxone("GET", f"/api/v2/customers/{customer}/attributes").status_code == 404


def test_a_participant_of_another_organization_cannot_be_changed(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    conversation = sandbox.ids("conversations", organization="acme", state="active")[0]
    participant = sandbox.get("conversations", conversation, "acme")["participants"][0]["id"]
    path = f"/api/v2/conversations/voice/participants/{participant}"
    answer = genesys("PATCH", path, json={"participantAttributes": {"a": "b"}})
    assert answer.status_code == 404


def test_equal_seeds_make_equal_worlds_and_others_do_not() -> None:
    clock = ManualClock()

    def contents(seed: int) -> list[object]:
        with running(seed=seed, clock=clock) as handle:
            kinds = ("profiles", "contacts", "conversations", "interactions", "configurations")
            return [(handle.ids(kind), handle.get(kind, handle.ids(kind)[0])) for kind in kinds]

    assert contents(1) == contents(1)
    assert contents(1) != contents(2)
