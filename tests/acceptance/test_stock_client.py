"""Every public message, sent by a stock Celery client of another process to real workers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.messages import PUBLIC
from tests.support.chats import add_chat
from tests.support.cluster import Cluster
from tests.support.configuration import CONFIGURATION as CONFIG
from tests.support.stock import Ending, send
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.limits.rates import DEFAULT_QUEUE
from workers.sandbox.testing import SandboxHandle

PROFILE = "GET /api/v2/identity/profiles/{id}"
CONSENT = "GET /api/v2/profiles/{id}/consent"
MERGE = "POST /api/v2/identity/profiles/merge"
CONTACT = "GET /api/v2/interactions/contacts/{contactId}"
CUSTOMER = "PUT /api/v2/customers/{customerId}/attributes"
PARTICIPANTS = "/api/v2/conversations/voice/participants"
CONFIGURATION = "/api/v2/webchat/organizations/{orgId}/configurations"
REPLICATE = "/api/v2/webchat/configurations/replicate"
INTERACTION = "/api/v2/interactions/{id}"
QUERY = "POST /api/v2/interactions/query"

MERGING = (PROFILE, PROFILE, PROFILE, CONSENT, CONSENT, CONSENT, MERGE)
SYNCING = (CONTACT, CUSTOMER)
SETTING = (
    f"GET {PARTICIPANTS}",
    f"PATCH {PARTICIPANTS}/{{participantId}}",
    f"GET {PARTICIPANTS}/{{participantId}}",
)
DEPLOYING = (f"GET {CONFIGURATION}", f"PUT {CONFIGURATION}")
REDACTING = (
    f"GET {INTERACTION}",
    f"GET {INTERACTION}",
    f"PATCH {INTERACTION}",
    f"GET {INTERACTION}",
)

DEEP: Any = json.loads("[" * 100 + "]" * 100)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message under its correlation id: its task, its own arguments, and what comes of it."""

    name: str
    task: str
    queue: str
    arguments: Mapping[str, Any]
    calls: tuple[str, ...]
    effects: tuple[str, ...]
    status: str = "done"

    def send(self) -> dict[str, Any]:
        queue = {} if self.queue == DEFAULT_QUEUE else {"queue": self.queue}
        kwargs = {**self.arguments, "correlation_id": self.name}
        return {"name": self.task, "kwargs": kwargs, "id": f"id-{self.name}", **queue}


CASES = (
    Case(
        name="merge",
        task="merge_profiles",
        queue="merge",
        arguments={"target_profile_id": "a-1", "source_profile_ids": ["a-2", "a-3"]},
        calls=MERGING,
        effects=("profiles.merged",),
    ),
    Case(
        name="merge-of-acme",
        task="merge_profiles",
        queue="merge.acme",
        arguments={
            "target_profile_id": "a-1",
            "source_profile_ids": ["a-2", "a-3"],
            "tenant": "acme",
        },
        calls=MERGING,
        effects=("profiles.merged",),
    ),
    Case(
        name="merge-and-sync",
        task="merge_and_sync",
        queue="merge",
        arguments={"target_profile_id": "b-1", "source_profile_ids": ["b-2", "b-3"]},
        calls=(*MERGING, *SYNCING),
        effects=("profiles.merged", "customer.attributes"),
    ),
    Case(
        name="attributes",
        task="set_attributes",
        queue="attributes",
        arguments={"conversation_id": "call-1", "attributes": {"tier": "gold"}},
        calls=SETTING,
        effects=("participant.attributes",),
    ),
    Case(
        name="without-a-queue",
        task="set_attributes",
        queue=DEFAULT_QUEUE,
        arguments={"conversation_id": "call-2", "attributes": {"tier": "gold"}},
        calls=SETTING,
        effects=("participant.attributes",),
    ),
    Case(
        name="sync",
        task="sync_profile",
        queue="sync",
        arguments={"contact_id": "a-contact"},
        calls=SYNCING,
        effects=("customer.attributes",),
    ),
    Case(
        name="deploy",
        task="deploy_config",
        queue="deploy",
        arguments={"organization_ids": ["org-001", "org-002"], "config": CONFIG},
        calls=(*DEPLOYING, *DEPLOYING),
        effects=("configuration.put", "configuration.put"),
    ),
    Case(
        name="replicate",
        task="deploy_config",
        queue="deploy",
        arguments={
            "organization_ids": ["org-003", "org-004"],
            "config": CONFIG,
            "replicate": True,
            "overwrite_existing": True,
        },
        calls=(*DEPLOYING, f"GET {CONFIGURATION}", f"POST {REPLICATE}", f"GET {REPLICATE}/{{id}}"),
        effects=("configuration.put", "replication.started", "replication.completed"),
        status="accepted",
    ),
    Case(
        name="redact",
        task="redact_interaction",
        queue="redact",
        arguments={"interaction_id": "a-chat"},
        calls=REDACTING,
        effects=("interaction.redacted",),
    ),
    Case(
        name="sweep",
        task="redact_completed",
        queue="sweep",
        arguments={"since": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"},
        calls=(QUERY, *REDACTING),
        effects=("interaction.redacted",),
    ),
)


def furnish(sandbox: SandboxHandle) -> None:
    """Add what the cases are about."""
    for organization, names in (("default", "abcde"), ("acme", "a")):
        for profile in (f"{name}-{number}" for name in names for number in (1, 2, 3)):
            sandbox.put("profiles", profile, {"customAttributes": {"tier": "gold"}}, organization)
            sandbox.put("customers", profile, {}, organization)
    for number in range(1, 5):
        sandbox.put("conversations", f"call-{number}", {"participants": [{}]})
    sandbox.put("contacts", "a-contact", {"attributes": {"tier": "gold"}})
    sandbox.put("customers", "a-contact", {})
    add_chat(sandbox, "a-chat", started="2019-05-01T10:00:00.000Z")
    add_chat(sandbox, "a-swept-chat", started="2020-05-01T10:00:00.000Z")


@pytest.fixture(scope="module")
def endings(cluster: Cluster, worker: WorkerProcess, folder: Path) -> dict[str, Ending]:
    """What the producer got for each case, all of them sent at once."""
    furnish(cluster.sandbox)
    got = send(cluster.redis_url, folder, *(case.send() for case in CASES))
    cluster.wait_until_quiet()
    return {case.name: ending for case, ending in zip(CASES, got, strict=True)}


def calls(cluster: Cluster, correlation_id: str) -> list[str]:
    """Return what one operation asked of the APIs, in order, without the tokens."""
    return [
        f"{entry['method']} {entry['route']}"
        for entry in cluster.sandbox.journal(correlation_id=correlation_id)
        if entry["route"] != "/oauth/token"
    ]


def effects(cluster: Cluster, correlation_id: str) -> list[str]:
    return [each["kind"] for each in cluster.sandbox.effects(correlation_id=correlation_id)]


def merge(name: str, correlation_id: str) -> dict[str, Any]:
    arguments = {"target_profile_id": f"{name}-1", "source_profile_ids": [f"{name}-2"]}
    kwargs = {**arguments, "correlation_id": correlation_id}
    return {"name": "merge_profiles", "kwargs": kwargs, "queue": "merge"}


def sync(name: str, correlation_id: str) -> dict[str, Any]:
    kwargs = {"contact_id": f"{name}-1", "correlation_id": correlation_id}
    return {"name": "sync_profile", "kwargs": kwargs, "queue": "sync"}


def test_every_public_message_is_among_the_cases() -> None:
    assert {case.task for case in CASES} == set(PUBLIC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_of_a_stock_client_has_the_documented_calls_and_effects_once(
    cluster: Cluster, endings: dict[str, Ending], case: Case
) -> None:
    ending = endings[case.name]
    assert (ending.state, ending.error) == ("SUCCESS", None)
    assert ending.status == case.status
    assert ending.result["operation_id"] == f"id-{case.name}"
    assert calls(cluster, case.name) == list(case.calls)
    assert effects(cluster, case.name) == list(case.effects)


def test_the_same_messages_delivered_again_answer_the_same_and_do_nothing(
    cluster: Cluster, endings: dict[str, Ending], folder: Path
) -> None:
    before = cluster.sandbox.summary()
    results = {f"celery-task-meta-id-{case.name}" for case in CASES}
    cluster.redis.delete(*results)
    again = send(cluster.redis_url, folder, *(case.send() for case in CASES))
    cluster.wait_until_quiet()
    assert {case.name: each.result for case, each in zip(CASES, again, strict=True)} == {
        name: ending.result for name, ending in endings.items()
    }
    assert cluster.sandbox.summary() == before


def test_a_chain_of_the_producers_own_runs_step_after_step(
    cluster: Cluster, endings: dict[str, Ending], folder: Path
) -> None:
    (ending,) = send(cluster.redis_url, folder, {"chain": [merge("c", "chain-1"), sync("c", "2")]})
    assert (ending.state, ending.status) == ("SUCCESS", "done")
    assert effects(cluster, "chain-1") == ["profiles.merged"]
    assert effects(cluster, "2") == ["customer.attributes"]


def test_a_refused_merge_stops_a_chain_with_one_line(
    cluster: Cluster, endings: dict[str, Ending], folder: Path
) -> None:
    refused, following = merge("no-such", "refused-1"), sync("d", "refused-2")
    (ending,) = send(cluster.redis_url, folder, {"chain": [refused, following]})
    cluster.wait_until_quiet()
    assert ending.error == {
        "type": "Rejected",
        "text": "target_profile_id: there is no profile no-such-1",
    }
    assert calls(cluster, "refused-1") == [PROFILE]
    assert calls(cluster, "refused-2") == []


def test_the_body_of_a_chord_runs_once_after_all_of_its_header(
    cluster: Cluster, endings: dict[str, Ending], folder: Path
) -> None:
    header = [merge("d", "chord-1"), merge("e", "chord-2")]
    (ending,) = send(cluster.redis_url, folder, {"chord": header, "body": sync("d", "chord-3")})
    assert (ending.state, ending.status) == ("SUCCESS", "done")
    done = [(each["kind"], each["correlation_id"]) for each in cluster.sandbox.effects()]
    of_the_chord = [each for each in done if each[1].startswith("chord-")]
    assert sorted(of_the_chord[:2]) == [
        ("profiles.merged", "chord-1"),
        ("profiles.merged", "chord-2"),
    ]
    assert of_the_chord[2:] == [("customer.attributes", "chord-3")]


@pytest.mark.parametrize(
    ("tenant", "queue", "reason"),
    [
        ("default", "merge.acme", "tenant: does not own the queue merge.acme"),
        ("acme", "merge", "tenant: does not own the queue merge"),
    ],
)
def test_a_message_on_another_tenants_queue_is_refused_and_kept(
    cluster: Cluster,
    endings: dict[str, Ending],
    app: WorkersApp,
    folder: Path,
    tenant: str,
    queue: str,
    reason: str,
) -> None:
    name = f"stray-{tenant}"
    message = merge("a", name)
    message["kwargs"]["tenant"] = tenant
    (ending,) = send(cluster.redis_url, folder, {**message, "queue": queue, "id": name})
    assert ending.error == {"type": "Rejected", "text": reason}
    assert calls(cluster, name) == []
    letters = [each for each in app.services.dead_letters.letters() if each.id.endswith(name)]
    assert [(each.status, each.reason, each.queue) for each in letters] == [
        ("rejected", reason, queue)
    ]


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("no_such_task", {}, "task: is not a task of this installation"),
        ("set_attributes", {"attributes": DEEP}, "message: must not be nested more than 64"),
    ],
)
def test_the_producer_of_what_no_task_can_take_is_told(
    cluster: Cluster, endings: dict[str, Ending], folder: Path, name: str, kwargs: Any, reason: str
) -> None:
    order = {"name": name, "kwargs": kwargs, "queue": "attributes"}
    (ending,) = send(cluster.redis_url, folder, order)
    assert ending.error is not None
    assert ending.error["type"] == "Rejected"
    assert ending.error["text"].startswith(reason)


def test_each_tenant_used_its_own_client(cluster: Cluster, endings: dict[str, Ending]) -> None:
    clients = {
        name: {entry["client"] for entry in cluster.sandbox.journal(correlation_id=name)}
        for name in ("merge", "merge-of-acme")
    }
    assert clients == {"merge": {"sandbox-client"}, "merge-of-acme": {"acme-client"}}
