"""One id finds all that comes of an event: messages, calls, log lines, records, letters, hooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.integration.outside import Outside, running
from tests.support.cluster import Cluster
from tests.support.contracts import CONTRACTS, PLATFORM, STARTED, Contract, Guide, Platform
from tests.support.log_events import COMMON, OF_A_MESSAGE, documented
from tests.support.module_cluster import app, folder, redis, sandbox
from tests.support.occurring import arguments, queued
from tests.support.tenants import tenants_file
from workers.app import WorkersApp
from workers.bridge.intake import Intake
from workers.bridge.judging.rules import load
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.reading.events import parse
from workers.bridge.watching.metrics import BridgeMetrics
from workers.sandbox.testing import SandboxHandle

__all__ = ["app", "folder", "redis", "sandbox"]

RULES = """
[[rule]]
name = "same-person"
topic = "v2.externalcontacts.contacts.{id}"
task = "merge_and_sync"
subject = "source"
occurrence = { ids = "[source, target]" }
backfill = "nothing"
[rule.arguments]
source_profile_ids = "[source]"
target_profile_id = "target"
customer_id = "target"

[[rule]]
name = "attributes-changed"
topic = "v2.detail.events.conversation.{id}.attributes"
task = "set_attributes"
subject = "topic.id"
occurrence = { values = "attributes" }
backfill = "nothing"
[rule.arguments]
conversation_id = "topic.id"
attributes = "attributes.{tier: tier}"
participant_id = "participant"

[[rule]]
name = "customer-left"
topic = "v2.detail.events.conversation.{id}.customer.end"
task = "redact_interaction"
subject = "topic.id"
occurrence = { at = "eventTime" }
backfill = "nothing"
[rule.arguments]
interaction_id = "topic.id"

[[rule]]
name = "day-over"
topic = "v2.routing.queues.{id}.conversations"
task = "redact_completed"
subject = "topic.id"
occurrence = { values = "since" }
backfill = "nothing"
[rule.arguments]
since = "since"
until = "until"
"""

#: What comes of each event, in the order in which it ends.
TASKS = {
    "merge": ["merge_and_sync", "sync_profile"],
    "attributes": ["set_attributes"],
    "left": ["redact_interaction"],
    "unknown": ["redact_interaction"],
    "unnamed": ["redact_interaction"],
    "sweep": ["redact_completed", *["redact_interaction"] * 3],
}

#: What is confirmed by a message of its own, on the platform contract.
CONFIRMED = {"attributes": ["set_attributes", "confirm_attributes"]}


@dataclass(frozen=True, kw_only=True)
class Story:
    """What has come of the events of one tenant.

    `names` are the correlation ids by event, `told` the log lines.
    """

    contract: Contract
    cluster: Cluster
    app: WorkersApp
    crm: Outside
    names: Mapping[str, str]
    told: list[dict[str, Any]]

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(self.app.services.audit.records(self.contract.tenant))

    def tasks(self, name: str) -> list[str]:
        """Return the tasks that ended under a correlation id."""
        ends = [each for each in self.records if "status" in each]
        return [each["task"] for each in ends if each["correlation_id"] == name]

    def systems(self, name: str) -> set[str]:
        """Return the systems that were called under a correlation id."""
        return {each["system"] for each in self.cluster.sandbox.journal(correlation_id=name)}


def event(tenant: str, name: str, topic: str, **body: Any) -> str:
    """Return a notification; `unnamed` is one whose sender names no request."""
    told = {
        "topicName": topic,
        "version": "2",
        "eventBody": {"eventTime": round(datetime.now(UTC).timestamp() * 1000), **body},
        "metadata": {} if name == "unnamed" else {"CorrelationId": f"{tenant}-{name}"},
    }
    return json.dumps(told)


def events(contract: Guide | Platform, sandbox: SandboxHandle) -> list[str]:
    """Return what happens at a tenant, in a sandbox that has all of it."""
    for person in ("ann", "anna"):
        contract.put_person(sandbox, person, firstName=person)
    contract.put_call(sandbox, "call-1")
    for chat in ("chat-1", "chat-2", "chat-3"):
        contract.put_chat(sandbox, chat, f"I am at {chat}@example.com")
    day = STARTED.partition("T")[0]
    conversation = "v2.detail.events.conversation.{}.{}"
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("merge", "v2.externalcontacts.contacts.anna", {"source": "anna", "target": "ann"}),
        (
            "attributes",
            conversation.format("call-1", "attributes"),
            {"attributes": {"tier": "gold"}, "participant": "agent-of-call-1"},
        ),
        ("left", conversation.format("chat-1", "customer.end"), {}),
        ("unknown", conversation.format("nobody-1", "customer.end"), {}),
        ("unnamed", conversation.format("chat-2", "customer.end"), {}),
        (
            "sweep",
            "v2.routing.queues.q-1.conversations",
            {"since": f"{day}T08:30:00Z", "until": f"{day}T09:15:00Z"},
        ),
    ]
    return [event(contract.tenant, name, topic, **body) for name, topic, body in told]


@pytest.fixture(scope="module")
def crm() -> Iterator[Outside]:
    with running() as outside:
        yield outside


@pytest.fixture(scope="module")
def cluster(
    redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path, crm: Outside
) -> Cluster:
    hooks = {"merged": [f"{crm.url}/merged"]}
    archive = {"archive_folder": str(folder)}
    tables = {
        each.tenant: each.table(
            sandbox, hooks=hooks, **({"platform": archive} if each is PLATFORM else {})
        )
        for each in CONTRACTS
    }
    environment = {"TENANTS_FILE": tenants_file(folder, **tables), "LOG_LEVEL": "DEBUG"}
    return Cluster(
        redis=redis, redis_url=redis_url, sandbox=sandbox, folder=folder, environment=environment
    )


@pytest.fixture(scope="module")
def stories(cluster: Cluster, app: WorkersApp, crm: Outside, folder: Path) -> dict[str, Story]:
    """What comes of the events of both tenants, all of which a bridge takes and a worker ends."""
    path = folder / "rules.toml"
    path.write_text(RULES, "utf-8")
    rules = load(path)

    async def take() -> None:
        async with Publisher(app.services) as publisher:
            intake = Intake(
                rules={each.tenant: rules for each in CONTRACTS},
                publisher=publisher,
                metrics=BridgeMetrics(rules.topics()),
            )
            for each in CONTRACTS:
                happened = [parse(told, "file") for told in events(each, cluster.sandbox)]
                taken = await intake.take(each.tenant, happened)
                assert taken.enqueued == len(TASKS)

    asyncio.run(take())
    names = {each.tenant: _names(cluster.redis, each) for each in CONTRACTS}
    with cluster.worker() as worker:
        cluster.wait_until_quiet(60)
    lines = [line for line in worker.said().splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    return {
        each.name: Story(
            contract=each,
            cluster=cluster,
            app=app,
            crm=crm,
            names=names[each.tenant],
            told=[line for line in told if line.get("tenant") == each.tenant],
        )
        for each in CONTRACTS
    }


def _names(redis: Redis, contract: Contract) -> dict[str, str]:
    """Return the correlation ids by event; the operation id where the event has none."""
    queue = "redact" if contract.tenant == "default" else f"redact.{contract.tenant}"
    sent = [arguments(each) for each in queued(redis, queue)]
    (unnamed,) = [each["operation_id"] for each in sent if "correlation_id" not in each]
    return {name: unnamed if name == "unnamed" else f"{contract.tenant}-{name}" for name in TASKS}


@pytest.fixture(params=CONTRACTS, ids=str)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param.name]


def test_records_name_it_to_the_last_follow_up(story: Story) -> None:
    expected = {**TASKS, **(CONFIRMED if story.contract is PLATFORM else {})}
    assert {event: story.tasks(name) for event, name in story.names.items()} == expected


def test_no_call_goes_without_it(story: Story) -> None:
    client = {"default": "sandbox-client", "acme": "acme-platform"}[story.contract.tenant]
    calls = story.cluster.sandbox.journal(client=client)
    assert {call["correlation_id"] for call in calls} == set(story.names.values())
    assert "/oauth/token" in {call["route"] for call in calls}


def test_the_customer_store_is_told_it_too(story: Story) -> None:
    own = "platform" if story.contract is PLATFORM else "genesys"
    assert story.systems(story.names["merge"]) == {own, "cxone"}
    (synced,) = story.cluster.sandbox.effects(correlation_id=story.names["merge"], system="cxone")
    assert synced["subject"] == "ann"


def test_hooks_are_told_it_and_recorded_with_it(story: Story) -> None:
    asked = [json.loads(each.body)["tenant"] for each in story.crm.requests]
    request = story.crm.requests[asked.index(story.contract.tenant)]
    assert request.headers["x-correlation-id"] == story.names["merge"]
    (told,) = [each for each in story.records if "hooks" in each]
    assert told["correlation_id"] == story.names["merge"]


def test_a_dead_letter_names_it(story: Story) -> None:
    letters = [
        each
        for each in story.app.services.dead_letters.letters()
        if each.tenant == story.contract.tenant
    ]
    assert [each.correlation_id for each in letters] == [story.names["unknown"]]
    assert letters[0].operation_id.startswith("event-")


def test_log_lines_carry_it_from_the_first_call_to_the_end(story: Story) -> None:
    for name in story.names.values():
        found = [line["event"] for line in story.told if line["correlation_id"] == name]
        assert {"api.sending", "api.answered", "operation.ended"} <= set(found)
    assert {line["correlation_id"] for line in story.told} == set(story.names.values())


def test_an_operation_without_one_is_found_by_its_own_id(story: Story) -> None:
    lines = [line for line in story.told if line["correlation_id"] == story.names["unnamed"]]
    assert {line["operation_id"] for line in lines} == {story.names["unnamed"]}


def test_log_lines_have_no_fields_but_those_that_are_listed(story: Story) -> None:
    listed = documented()
    for line in story.told:
        known = COMMON | OF_A_MESSAGE | listed[line["event"]].fields
        assert line.keys() <= known, line["event"]


# Messages that no operation takes


def test_a_refused_message_is_logged_recorded_and_kept_under_one_id(
    cluster: Cluster, app: WorkersApp
) -> None:
    client = app.services.producer.app
    asked = {"conversation_id": "c-1", "colour": "red"}
    for name, more in (("r-1", {}), ("r-2", {"correlation_id": "mine"})):
        for task, queue, id_ in (
            ("set_attributes", "attributes", name),
            ("none", "merge", f"{name}-u"),
        ):
            client.send_task(task, kwargs={**asked, **more}, queue=queue, task_id=id_)
    with cluster.worker() as worker:
        cluster.wait_until_quiet()
    lines = [json.loads(line) for line in worker.said().splitlines() if line.startswith("{")]
    expected = {"r-1": "r-1", "r-1-u": "r-1-u", "r-2": "mine", "r-2-u": "mine"}
    refused = [line for line in lines if line["event"].endswith(".refused")]
    assert {line["message_id"]: line["correlation_id"] for line in refused} == expected
    letters = {each.message_id: each for each in app.services.dead_letters.letters()}
    assert {name: letters[name].correlation_id for name in expected} == expected
    recorded = {
        each["message_id"]: each["correlation_id"]
        for each in app.services.audit.records("default")
        if each.get("message_id") in expected
    }
    assert recorded == expected
