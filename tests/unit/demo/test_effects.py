"""What the sandbox saw is compared with the plan by content, not only by its kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests

from tasks import pii, webmessaging
from tasks.mapping import SyncRules, map_attributes
from workers.demo import deployments, merges, redactions, syncs
from workers.demo.effects import Effect, observed
from workers.demo.errand import Errand
from workers.sandbox.testing import SandboxHandle, running
from workers.sandbox.wire import decode, encode

CREDENTIALS = {
    "genesys": ("sandbox-client", "sandbox-secret"),
    "cxone": ("sandbox-cxone", "sandbox-cxone-secret"),
}
CONFIGURATIONS = "/genesys/api/v2/webchat/organizations/{}/configurations"

#: `do(method, path, body)` sends a request with a token of the path's system.
Do = Callable[..., Any]
Sabotage = Callable[[dict[str, Any]], object]


@pytest.fixture
def sandbox() -> Iterator[SandboxHandle]:
    with running() as handle:
        yield handle


@pytest.fixture
def do(sandbox: SandboxHandle) -> Iterator[Do]:
    with requests.Session() as session:
        session.trust_env = False
        tokens = {
            system: session.post(
                f"{sandbox.url}/{system}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=credentials,
                timeout=10,
            ).json()["access_token"]
            for system, credentials in CREDENTIALS.items()
        }

        def do(method: str, path: str, body: object = None, **headers: str) -> Any:
            system = path.split("/")[1]
            headers |= {"Authorization": f"Bearer {tokens[system]}"}
            headers |= {"Content-Type": "application/json"}
            answer = session.request(
                method, sandbox.url + path, headers=headers, data=encode(body), timeout=10
            )
            assert answer.status_code == 200, answer.text
            return decode(answer.content)

        yield do


def prepare(sandbox: SandboxHandle, errand: Errand) -> None:
    for each in errand.documents:
        sandbox.put(each.kind, each.id, dict(each.body), errand.organization)


def seen(sandbox: SandboxHandle, kind: str) -> tuple[Effect, ...]:
    return tuple(filter(None, map(observed, sandbox.effects(kind=kind))))


def black(document: dict[str, Any]) -> None:
    document["widget"]["theme"]["colors"]["primary"] = "#000"
    document["widget"]["accessibility"]["contrastRatio"] = 21


CARELESS: Mapping[str, Sabotage] = {
    "another colour": black,
    "another greeting": lambda document: document["greetings"].update(messages=["x"]),
    "no hours": lambda document: document["availability"].update(rules=[]),
    "no flags": lambda document: document["features"].update(flags={}),
    "a lost field amid ours": lambda document: document["widget"]["theme"].pop("corners"),
    "another's field changed": lambda document: document["launcher"].update(label="mine"),
}


@pytest.mark.parametrize("sabotage", [None, *CARELESS])
def test_a_deployment_is_judged_by_every_field(
    sandbox: SandboxHandle, do: Do, sabotage: str | None
) -> None:
    errand = deployments.plain(random.Random(1), "default")
    prepare(sandbox, errand)
    config = webmessaging.WebMessaging.model_validate(errand.arguments["config"])
    for organization_id in errand.arguments["organization_ids"]:
        path = CONFIGURATIONS.format(organization_id)
        current = do("GET", path)
        document = webmessaging.apply(webmessaging.payload(config), current)
        if sabotage:
            CARELESS[sabotage](document)
        do("PUT", path, document, **{"If-Match": str(current["version"])})
    assert (seen(sandbox, "configuration.put") == errand.effects) == (sabotage is None)


@pytest.mark.parametrize(
    ("text", "good"), [(pii.redact, True), (lambda _: "", False), (lambda _: "[REDACTED]", False)]
)
def test_a_redaction_is_judged_by_what_is_left_of_each_text(
    sandbox: SandboxHandle, do: Do, text: Callable[[str], str], good: bool
) -> None:
    errand = redactions.plain(random.Random(1), "default", personal=3)
    prepare(sandbox, errand)
    path = f"/genesys/api/v2/interactions/{errand.arguments['interaction_id']}"
    chat = do("GET", path)
    changed = [
        {**each, "text": text(each["text"])} if pii.find(each["text"]) else each
        for each in chat["messages"]
    ]
    do("PATCH", path, {"id": chat["id"], "messages": changed})
    assert (seen(sandbox, "interaction.redacted") == errand.effects) == good


@pytest.mark.parametrize("make", [syncs.plain, syncs.told])
@pytest.mark.parametrize("good", [True, False])
def test_a_sync_is_judged_by_its_values(
    sandbox: SandboxHandle, do: Do, make: Callable[..., Errand], good: bool
) -> None:
    errand = make(random.Random(1), "default")
    prepare(sandbox, errand)
    contact_id = errand.arguments["contact_id"]
    contact = do("GET", f"/genesys/api/v2/interactions/contacts/{contact_id}")
    source = errand.arguments.get("attributes", contact["attributes"])
    sent = [
        {"name": each.name, "value": each.value, "type": each.type}
        if good
        else {"name": each.name, "value": "wrong", "type": "string"}
        for each in map_attributes(source, SyncRules()).attributes
    ]
    do("PUT", f"/cxone/api/v2/customers/{contact_id}/attributes", {"attributes": sent})
    assert (seen(sandbox, "customer.attributes") == errand.effects) == good


@pytest.mark.parametrize("seed", range(6))
def test_the_sync_of_a_merge_has_the_values_of_the_merged_profile(
    sandbox: SandboxHandle, do: Do, seed: int
) -> None:
    errand = merges.followed(merges.plain(random.Random(seed), "default"))
    prepare(sandbox, errand)
    target = errand.arguments["target_profile_id"]
    body = {
        "sourceProfileIds": errand.arguments["source_profile_ids"],
        "targetProfileId": target,
        "mergePolicy": errand.arguments["merge_policy"],
    }
    do("POST", "/genesys/api/v2/identity/profiles/merge", body)
    merged = do("GET", f"/genesys/api/v2/identity/profiles/{target}")["customAttributes"]
    sent = [
        {"name": each.name, "value": each.value, "type": each.type}
        for each in map_attributes(merged, SyncRules()).attributes
    ]
    do("PUT", f"/cxone/api/v2/customers/{target}/attributes", {"attributes": sent})
    kinds = ("profiles.merged", "customer.attributes")
    assert tuple(effect for kind in kinds for effect in seen(sandbox, kind)) == errand.effects


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"sourceOrganizationId": "org-003"}, False),
        ({"overwriteExisting": False}, False),
    ],
)
def test_a_replication_is_judged_by_its_source_and_by_what_it_overwrites(
    change: Mapping[str, Any], good: bool
) -> None:
    errand = deployments.replicated(random.Random(1), "default")
    source, *targets = errand.arguments["organization_ids"]
    asked = {"sourceOrganizationId": source, "overwriteExisting": True, **change}
    record = {
        "organization": "default",
        "kind": "replication.started",
        "subject": "job",
        "detail": {
            "source": asked["sourceOrganizationId"],
            "targets": targets,
            "overwrite_existing": asked["overwriteExisting"],
        },
    }
    assert (observed(record) in errand.effects) == good
