"""The operations by a real worker on the Platform API, and the vendor's SDK beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.messages import (
    DeployConfig,
    MergeAndSync,
    MergeProfiles,
    Message,
    RedactInteraction,
    SetAttributes,
    SyncProfile,
)
from tests.support import vendor_sdk
from tests.support.cluster import Cluster, wait_until
from tests.support.configuration import CONFIGURATION
from tests.support.contracts import Platform
from tests.support.tenants import platform_tenant, tenants_file
from tests.support.vendor_sdk import VendorSdk
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle

HERE = Platform(name="platform", tenant="default")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    table = platform_tenant(sandbox, platform={"delete_recordings": True})
    return Cluster(
        redis=redis,
        redis_url=redis_url,
        sandbox=sandbox,
        folder=folder,
        environment={"TENANTS_FILE": tenants_file(folder, default=table)},
    )


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxHandle) -> Iterator[VendorSdk]:
    module = vendor_sdk.load(tmp_path_factory.mktemp("home"))
    client = vendor_sdk.connect(module, sandbox)
    yield client
    client.close()


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Our side: messages, and the worker that carries them out."""

    cluster: Cluster
    app: WorkersApp

    def run(self, message: Message, *, of: str = "") -> dict[str, Any]:
        """Have a message carried out; return the result, or that of the message `of` after it."""
        message_id = self.app.services.producer.publish(message)
        meta = self.cluster.ending(f"{message_id}{of}")
        assert meta["status"] == "SUCCESS", meta
        found: dict[str, Any] = meta["result"]
        return found


@pytest.fixture
def ours(
    sdk: VendorSdk,  # without it no worker is needed
    cluster: Cluster,
    app: WorkersApp,
    worker: WorkerProcess,  # carries out what is published
) -> Ours:
    return Ours(cluster=cluster, app=app)


def people(sandbox: SandboxHandle, *names: str) -> list[str]:
    for name in names:
        HERE.put_person(sandbox, name, firstName=name)
    return list(names)


def test_a_merge_is_one_merge_set_to_the_sdk_and_its_survivor_is_synced(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    target, source = people(sandbox, "ann", "anna")
    message = MergeAndSync(
        target_profile_id=target, source_profile_ids=[source], customer_id=target
    )
    assert ours.run(message, of=":sync")["status"] == "done"
    found = sdk.api("ExternalContacts").get_externalcontacts_contact(source)
    assert {each.id for each in found.merged_from} == {target, source}
    assert found.first_name == target
    customer = sandbox.get("customers", target)["attributes"]
    assert customer["firstName"]["value"] == target


def test_a_merge_by_the_sdk_leaves_nothing_to_do(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    both = people(sandbox, "bea", "bert")
    request = sdk.model("MergeContactsRequest", contact_ids=both)
    made = sdk.api("ExternalContacts").post_externalcontacts_contacts_merge(request)
    ended = ours.run(MergeProfiles(target_profile_id=both[0], source_profile_ids=both[1:]))
    assert (ended["status"], ended["detail"]["profile_id"]) == ("noop", made.id)


def test_a_change_by_the_sdk_is_synced(ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle) -> None:
    (person,) = people(sandbox, "cleo")
    change = sdk.model("ContactsPatchChange", field="$.title", action="Update", value="Dr")
    request = sdk.model("ExternalContactsPatchRequest", changes=[change])
    sdk.api("ExternalContacts").patch_externalcontacts_contact(person, request)
    assert ours.run(SyncProfile(contact_id=person))["status"] == "done"
    assert sandbox.get("customers", person)["attributes"]["title"]["value"] == "Dr"


def test_attributes_are_confirmed_when_the_sdk_sees_them(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    HERE.put_call(sandbox, "call-1")
    message = SetAttributes(conversation_id="call-1", attributes={"tier": "gold"})
    assert ours.run(message, of=":confirm")["detail"]["confirmed"] == ["tier"]
    (agent,) = sdk.api("Conversations").get_conversation("call-1").participants
    assert agent.attributes == {"tier": "gold"}


def test_attributes_that_the_sdk_has_set_are_so_already(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    HERE.put_call(sandbox, "call-2")
    conversations = sdk.api("Conversations")
    request = sdk.model("ParticipantAttributes", attributes={"tier": "gold"})
    conversations.patch_conversation_participant_attributes("call-2", "agent-of-call-2", request)

    def seen() -> bool:
        (agent,) = conversations.get_conversation("call-2").participants
        return bool(agent.attributes)

    wait_until(seen, 10, "the attributes are there")
    ended = ours.run(SetAttributes(conversation_id="call-2", attributes={"tier": "gold"}))
    assert (ended["status"], ended["detail"]["unchanged"]) == ("noop", ["tier"])


def test_a_deployment_is_live_for_the_sdk_and_made_good_after_the_sdk_has_undone_it(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    place = HERE.put_site(sandbox, "shop")
    config = {**CONFIGURATION, "brand_color": "#004400"}
    message = DeployConfig.model_validate({**place, "config": config})
    web = sdk.api("WebDeployments")

    def live() -> Any:
        found = web.get_webdeployments_deployment_configurations(place["deployment_id"])
        return found.configuration_version

    assert ours.run(message)["status"] == "done"
    assert live().messenger.styles.primary_color == "#004400"
    target = web.get_webdeployments_deployment(place["deployment_id"])
    target.configuration.version = "1"
    web.put_webdeployments_deployment(place["deployment_id"], target)
    wait_until(lambda: live().version == "1", 10, "the first version is live again")
    assert ours.run(message)["status"] == "done"
    assert live().messenger.styles.primary_color == "#004400"


def put_recorded(sandbox: SandboxHandle, chat: str) -> None:
    HERE.put_chat(sandbox, chat, "Write to ann@example.com")
    HERE.put_recording(sandbox, chat)


def test_a_redaction_sets_the_date_of_deletion_that_the_sdk_reads(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    put_recorded(sandbox, "chat-1")
    detail = ours.run(RedactInteraction(interaction_id="chat-1"))["detail"]
    assert detail["recordings"] == {"deletion_set": 1}
    (found,) = sdk.api("Recording").get_conversation_recordingmetadata("chat-1")
    assert found.delete_date > datetime.now(UTC) + 29 * DAY


def test_a_redaction_leaves_the_earlier_date_of_the_sdk(
    ours: Ours, sdk: VendorSdk, sandbox: SandboxHandle
) -> None:
    put_recorded(sandbox, "chat-2")
    recordings = sdk.api("Recording")
    wanted = sdk.model("Recording", delete_date=datetime.now(UTC) + DAY)
    recordings.put_conversation_recording("chat-2", "recording-of-chat-2", wanted)
    detail = ours.run(RedactInteraction(interaction_id="chat-2"))["detail"]
    assert detail["recordings"] == {"set_before": 1}
    (found,) = recordings.get_conversation_recordingmetadata("chat-2")
    assert found.delete_date < datetime.now(UTC) + 2 * DAY
