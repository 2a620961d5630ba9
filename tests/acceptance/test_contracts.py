"""The operations over both contracts, by one worker: the same messages end the same way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.catalogue import OPERATIONS
from tests.support.cluster import Cluster, wait_until
from tests.support.configuration import CONFIGURATION
from tests.support.contracts import CONTRACTS, PLATFORM, Guide, Platform
from tests.support.tenants import tenants_file
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.demo.endings import endings
from workers.limits.rates import tenant_queue
from workers.sandbox.testing import SandboxHandle

NUMBERS = count(1)
QUEUES = {operation.task: operation.queue for operation in OPERATIONS}


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    """A tenant of each contract; the platform's keeps redacted transcripts."""
    archive = {"archive_folder": str(folder)}
    tables = {
        each.tenant: each.table(sandbox, **({"platform": archive} if each is PLATFORM else {}))
        for each in CONTRACTS
    }
    return Cluster(
        redis=redis,
        redis_url=redis_url,
        sandbox=sandbox,
        folder=folder,
        environment={"TENANTS_FILE": tenants_file(folder, **tables)},
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """A tenant of one contract, and the way to have messages carried out for it."""

    contract: Guide | Platform
    cluster: Cluster
    app: WorkersApp

    @property
    def sandbox(self) -> SandboxHandle:
        return self.cluster.sandbox

    def send(self, task: str, **arguments: Any) -> str:
        queue = tenant_queue(QUEUES[task], self.contract.tenant)
        asked = {"tenant": self.contract.tenant, **arguments}
        message_id = f"{self.contract}-{next(NUMBERS)}"
        client = self.app.services.producer.app
        client.send_task(task, kwargs=asked, queue=queue, task_id=message_id)
        return message_id

    def run(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Return the result of a message; of one that failed its status and reason."""
        return self.result(self.send(task, **arguments))

    def result(self, message_id: str) -> dict[str, Any]:
        meta = self.cluster.ending(message_id)
        if meta["status"] == "SUCCESS":
            found: dict[str, Any] = meta["result"]
            return found
        letters = self.app.services.dead_letters
        letter = next(letters.find([f"{self.contract.tenant}:{message_id}"]))
        return {"status": letter.status, "reason": letter.reason}


@pytest.fixture(params=CONTRACTS, ids=str)
def world(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    app: WorkersApp,
    worker: WorkerProcess,  # carries out what is sent
) -> World:
    return World(contract=request.param, cluster=cluster, app=app)


def people(world: World) -> tuple[str, str, str]:
    """Three persons that know different things, by new ids."""
    number = next(NUMBERS)
    names = [f"{name}-{number}" for name in ("ann", "anna", "annie")]
    for name, title in zip(names, ("Dr", "Ms", "Mx"), strict=True):
        world.contract.put_person(world.sandbox, name, firstName=name, title=title)
    return names[0], names[1], names[2]


def customer(world: World, name: str) -> dict[str, Any]:
    """Return what the customer store has of a person, by attribute."""
    held = world.sandbox.get("customers", name, world.contract.tenant)["attributes"]
    return {key: each["value"] for key, each in held.items()}


def test_a_merge_names_its_survivor_and_is_done_once(world: World) -> None:
    target, *sources = people(world)
    asked = {"target_profile_id": target, "source_profile_ids": sources}
    first, again = (world.run("merge_profiles", **asked) for _ in range(2))
    assert (first["status"], again["status"]) == ("done", "noop")
    assert first["detail"]["merged"] == sources
    assert again["detail"]["linked"] == sources
    assert first["detail"]["profile_id"] == again["detail"]["profile_id"]


def test_a_merge_finds_the_survivor_by_any_older_id(world: World) -> None:
    first, second, third = people(world)
    merged = world.run("merge_profiles", target_profile_id=first, source_profile_ids=[second])
    then = world.run("merge_profiles", target_profile_id=first, source_profile_ids=[third])
    assert (merged["status"], then["status"]) == ("done", "done")
    assert then["detail"]["merged"] == [third]


def test_a_merge_of_nobody_is_rejected_by_name(world: World) -> None:
    target, source, _ = people(world)
    ended = world.run(
        "merge_profiles", target_profile_id=target, source_profile_ids=[source, "nobody-1"]
    )
    assert ended["status"] == "rejected"
    assert ended["reason"] == "source_profile_ids: there is no profile nobody-1"


def test_the_sync_after_a_merge_takes_the_survivor(world: World) -> None:
    target, source, _ = people(world)
    message_id = world.send(
        "merge_and_sync",
        target_profile_id=target,
        source_profile_ids=[source],
        customer_id=target,
    )
    assert world.result(message_id)["status"] == "done"
    assert world.result(f"{message_id}:sync")["status"] == "done"
    assert customer(world, target)["firstName"] == target


def test_a_contact_is_synced_once(world: World) -> None:
    person, *_ = people(world)
    ended = world.run("sync_profile", contact_id=person)
    assert ended["status"] == "done"
    assert customer(world, person)["title"] == "Dr"


def test_a_contact_that_is_not_there_is_rejected(world: World) -> None:
    ended = world.run("sync_profile", contact_id="nobody-2")
    assert ended["status"] == "rejected"
    assert "404" in ended["reason"]


def test_attributes_are_set_confirmed_and_then_so_already(world: World) -> None:
    call = f"call-{next(NUMBERS)}"
    world.contract.put_call(world.sandbox, call)
    asked = {"conversation_id": call, "attributes": {"tier": "gold"}}
    message_id = world.send("set_attributes", **asked)
    first = world.result(message_id)
    if first["status"] == "accepted":
        first = world.result(f"{message_id}:confirm")
    assert first["status"] == "done"
    assert first["detail"]["confirmed"] == ["tier"]
    assert first["detail"]["participant_id"] == f"agent-of-{call}"
    assert world.contract.attributes_of(world.sandbox, call) == {"tier": "gold"}


def test_a_value_another_and_the_first_again_end_with_the_first(world: World) -> None:
    call = f"call-{next(NUMBERS)}"
    world.contract.put_call(world.sandbox, call)
    sent = []
    for tier in ("gold", "tin", "gold"):
        asked = {"conversation_id": call, "attributes": {"tier": tier}}
        sent.append(world.send("set_attributes", **asked))
        world.result(sent[-1])
    world.cluster.wait_until_quiet()
    assert world.contract.attributes_of(world.sandbox, call) == {"tier": "gold"}
    letters = world.app.services.dead_letters
    assert not list(letters.find([f"{world.contract.tenant}:{each}" for each in sent]))


def test_a_call_that_has_ended_takes_no_attributes(world: World) -> None:
    call = f"call-{next(NUMBERS)}"
    world.contract.put_call(world.sandbox, call, live=False)
    ended = world.run("set_attributes", conversation_id=call, attributes={"tier": "gold"})
    assert ended["status"] == "rejected"
    assert ended["reason"].startswith("participant_type: no user is connected or ringing")


def test_a_configuration_reaches_its_guests_once(world: World) -> None:
    place = world.contract.place(world.sandbox)
    config = {**CONFIGURATION, "brand_color": "#004400"}
    first, again = (world.run("deploy_config", **place, config=config) for _ in range(2))
    assert (first["status"], again["status"]) == ("done", "noop")
    assert world.contract.colour(world.sandbox) == "#004400"
    assert first["detail"]["contrast_ratio"] == again["detail"]["contrast_ratio"]


def test_deployments_to_one_place_end_with_the_last_one_that_ran(world: World) -> None:
    place = world.contract.place(world.sandbox)
    colours = ["#440000", "#000044"]
    sent = [
        world.send("deploy_config", **place, config={**CONFIGURATION, "brand_color": colour})
        for colour in colours
    ]
    assert [world.result(each)["status"] for each in sent] == ["done"] * 2
    assert world.contract.colour(world.sandbox) in colours


def test_what_changed_in_a_time_is_counted(world: World) -> None:
    window = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    place = world.contract.place(world.sandbox)
    ended = world.run("deploy_config", **place, config=CONFIGURATION, audit_window=window)
    assert ended["detail"]["audit"] == {"records": 0, "newest": None}


@pytest.mark.parametrize(
    ("texts", "status", "findings"),
    [
        (["Write to ann@example.com", "or ann@example.com"], "done", {"email": 2}),
        (["Good morning"], "noop", {}),
    ],
)
def test_personal_data_of_a_chat_is_found_alike(
    world: World, texts: list[str], status: str, findings: dict[str, int]
) -> None:
    chat = f"chat-{next(NUMBERS)}"
    world.contract.put_chat(world.sandbox, chat, *texts)
    ended = world.run("redact_interaction", interaction_id=chat)
    assert (ended["status"], ended["detail"]["findings"]) == (status, findings)
    assert ended["detail"]["messages"] == len(texts)
    assert "ann@" not in json.dumps(ended)


def test_a_sweep_redacts_what_has_ended_in_its_time(world: World) -> None:
    chats = {f"chat-{next(NUMBERS)}" for _ in range(3)}
    for chat in chats:
        world.contract.put_chat(world.sandbox, chat, "Write to ann@example.com")
    message_id = world.send(
        "redact_completed",
        since="2026-05-01T08:59:00Z",
        until="2026-05-01T09:01:00Z",
        page_size=2,
    )
    assert world.result(message_id)["status"] == "accepted"
    names = [f"{message_id}:{chat}" for chat in chats]
    services = world.app.services
    wait_until(lambda: endings(services, names).keys() == set(names), 60, "all are redacted")
    assert set(endings(services, names).values()) <= {"done", "noop"}


@pytest.mark.parametrize("world", [PLATFORM], indirect=True, ids=str)
def test_what_the_platform_cannot_do_is_unsupported_and_says_what_can(world: World) -> None:
    target, source, _ = people(world)
    policy = world.run(
        "merge_profiles",
        target_profile_id=target,
        source_profile_ids=[source],
        merge_policy="custom",
    )
    organizations = world.run(
        "deploy_config", organization_ids=["a", "b"], config=CONFIGURATION, replicate=True
    )
    assert [policy["status"], organizations["status"]] == ["unsupported"] * 2
    assert "use target_wins or source_wins" in policy["reason"]
    assert "each organisation is a tenant" in organizations["reason"]
    calls = world.sandbox.journal(system="platform")
    assert not [each for each in calls if target in each.get("path", "")]


@pytest.mark.parametrize("world", [PLATFORM], indirect=True, ids=str)
def test_a_redaction_on_the_platform_says_what_it_left_unchanged(world: World) -> None:
    chat = f"chat-{next(NUMBERS)}"
    world.contract.put_chat(world.sandbox, chat, "Write to ann@example.com")
    detail = world.run("redact_interaction", interaction_id=chat)["detail"]
    assert detail["stored_messages"] == "unchanged: the API cannot change them"
    assert (detail["recordings"], detail["gdpr_request"]) == ("off", "off")
    archived = [path.read_text("utf-8") for path in world.cluster.folder.glob(f"{chat}*")]
    assert len(archived) == 1
    assert "[REDACTED]" in archived[0]
    assert "ann@" not in archived[0]
