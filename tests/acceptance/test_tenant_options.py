"""A tenant with a private key, a CRM that is told of merges, and sealed state in Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tasks.messages import MergeProfiles, SetAttributes
from tests.integration.outside import Behaviour, Outside, answer, running
from tests.support.cluster import Cluster
from tests.support.tenants import UNLIMITED, tenant, tenants_file
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp

CANARY = "Canary7f3a"
CLIENT = "client-with-a-key"


@pytest.fixture(scope="module")
def crm() -> Iterator[Outside]:
    with running() as outside:
        yield outside


@pytest.fixture(scope="module")
def optional(cluster: Cluster, crm: Outside, folder: Path) -> Cluster:
    """The cluster, its default tenant with a key, a hook and a sealed state."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    cluster.sandbox.put_client(
        CLIENT,
        system="genesys",
        organization="default",
        public_key=public.decode(),
        requests_per_minute=UNLIMITED,
    )
    table = tenant(
        cluster.sandbox,
        client_id=CLIENT,
        client_secret=None,
        private_key_file=str(folder / "key.pem"),
        hooks={"merged": [f"{crm.url}/merged"]},
    )
    environment = {
        "TENANTS_FILE": tenants_file(folder, default=table),
        "SEAL_KEY": Fernet.generate_key().decode(),
    }
    return replace(cluster, environment=environment)


@pytest.fixture(scope="module")
def app(optional: Cluster) -> Iterator[WorkersApp]:
    made = optional.app()
    yield made
    made.services.close()


@pytest.fixture(scope="module", autouse=True)
def worker(optional: Cluster) -> Iterator[WorkerProcess]:
    with optional.worker() as running_worker:
        yield running_worker


def merge(cluster: Cluster, name: str) -> MergeProfiles:
    for profile in (f"{name}-1", f"{name}-2"):
        cluster.sandbox.put("profiles", profile, {"customAttributes": {}})
    return MergeProfiles(
        target_profile_id=f"{name}-1", source_profile_ids=[f"{name}-2"], operation_id=name
    )


def merges(cluster: Cluster, name: str) -> int:
    return len(cluster.sandbox.effects(kind="profiles.merged", correlation_id=name))


def audited(app: WorkersApp, name: str) -> list[dict[str, Any]]:
    return [each for each in app.services.audit.records("default") if each["operation_id"] == name]


def test_a_client_with_a_private_key_works_end_to_end(cluster: Cluster, app: WorkersApp) -> None:
    message = merge(cluster, "with-a-key")
    assert cluster.ending(app.services.producer.publish(message))["result"]["status"] == "done"
    entries = cluster.sandbox.journal(correlation_id="with-a-key", system="genesys")
    assert {entry["client"] for entry in entries} == {CLIENT}


def test_the_crm_is_told_of_a_merge_once(cluster: Cluster, crm: Outside, app: WorkersApp) -> None:
    message = merge(cluster, "told")
    before = len(crm.requests)
    for _ in range(2):
        app.services.producer.publish(message)
        cluster.wait_until_quiet()
    (told,) = crm.requests[before:]
    assert (told.method, told.target) == ("POST", "/merged")
    assert json.loads(told.body) == {
        "operation_id": "told",
        "tenant": "default",
        "target": "told-1",
        "sources": ["told-2"],
        "policy": "target_wins",
        "profile_id": "told-1",
        "merged": ["told-2"],
        "linked": [],
    }
    assert "authorization" not in told.headers
    done, hook = audited(app, "told")
    assert (done["status"], hook["hooks"]) == ("done", ["200"])


def misbehaviours(crm: Outside) -> dict[str, tuple[Behaviour, str]]:
    return {"fails": (answer(500), "500"), "hangs": (crm.hang, "no answer")}


@pytest.mark.parametrize("kind", ["fails", "hangs"])
def test_a_hook_that_misbehaves_neither_undoes_nor_repeats_nor_hides_a_merge(
    cluster: Cluster, crm: Outside, app: WorkersApp, kind: str
) -> None:
    behaviour, noted = misbehaviours(crm)[kind]
    message = merge(cluster, f"hook-{kind}")
    before = len(crm.requests)
    crm.behaviours[:] = [behaviour]
    sent = app.services.producer.publish(message)
    wait_until(lambda: len(crm.requests) > before, 30, "the hook is told")
    (done,) = audited(app, sent)[:1]
    assert done["status"] == "done"
    assert cluster.ending(sent)["result"]["status"] == "done"
    crm.behaviours[:] = [answer(body={})]
    cluster.wait_until_quiet()
    assert merges(cluster, sent) == 1
    assert len(crm.requests) == before + 1
    assert [each["hooks"] for each in audited(app, sent)[1:]] == [[noted]]
    assert cluster.sandbox.get("profiles", f"{sent}-1")["links"] == [{"profileId": f"{sent}-2"}]


def test_what_redis_keeps_of_tokens_and_dead_letters_is_sealed(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.sandbox.put("conversations", "a-call", {"participants": [{}]})
    good = SetAttributes(conversation_id="a-call", attributes={"tier": "gold"})
    assert cluster.ending(app.services.producer.publish(good))["status"] == "SUCCESS"
    refused = {"conversation_id": "a-call", "attributes": {"tier": CANARY}, "colour": CANARY}
    sent = app.services.producer.app.send_task("set_attributes", kwargs=refused, queue="attributes")
    assert cluster.ending(sent.id)["status"] == "FAILURE"
    cluster.redis.lpush("attributes", f"{CANARY} is no message")
    letters = app.services.dead_letters
    wait_until(lambda: letters.count() == 2, 30, "both messages are kept")
    payloads: Any = cluster.redis.hgetall("gw:dead-letters:payloads")
    tokens: Any = [cluster.redis.get(key) for key in cluster.redis.scan_iter("gw:token:*")]
    assert tokens
    assert all(each.startswith(b"fernet:") for each in (*payloads.values(), *tokens))
    assert letters.payload(f"default:{sent.id}") == refused
