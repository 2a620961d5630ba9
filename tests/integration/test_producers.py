"""The examples for producers: what they send is what workers take, and they are told its end."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.messages import PUBLIC
from tests.support.asyncapi import problems
from tests.support.cluster import Cluster
from tests.support.flower import RunningFlower, flower
from tests.support.module_cluster import cluster, folder, redis, sandbox, worker
from tests.support.npm import npm_packages
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.consuming import envelope
from workers.embedded.loopback import HOST
from workers.letters import kept_message
from workers.sending.asyncapi import document
from workers.sending.message_examples import EXAMPLES

__all__ = ["cluster", "folder", "npm_packages", "redis", "sandbox", "worker"]

EXAMPLES_FOLDER = Path(__file__).parents[2] / "workers" / "deploy" / "examples"

#: What celery-node 0.5.9 puts on a list; that this holds still is tested where npm can install it.
NODE_ELEMENT = {
    "body": "W1tdLHsiY29udGFjdF9pZCI6ImEtY29udGFjdCJ9LHt9XQ==",
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {"lang": "js", "task": "sync_profile", "id": "6d427fcc-8768-4bf0-b517-dbb29f6b3247"},
    "properties": {
        "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": "sync"},
        "delivery_mode": 2,
        "delivery_tag": "69bcc2c7-949b-43db-b3eb-fbaa8e96eefc",
        "correlationId": "6d427fcc-8768-4bf0-b517-dbb29f6b3247",
        "replyTo": "",
    },
}

DOCUMENT = document()
MESSAGES = DOCUMENT["components"]["messages"]
SYNCED = {"contact_id": "a-contact"}

Command = Sequence[str]


@pytest.fixture(scope="module")
def python() -> Command:
    return [sys.executable, "-I", str(EXAMPLES_FOLDER / "producer.py")]


@pytest.fixture(scope="module")
def node(npm_packages: Path) -> Command:
    # Packages are looked for from where a module stands.
    script = npm_packages.with_name("producer.mjs")
    script.write_bytes((EXAMPLES_FOLDER / "producer.mjs").read_bytes())
    return ["node", str(script)]


@pytest.fixture(params=["python", "node"])
def producer(request: pytest.FixtureRequest) -> Command:
    """A program that sends a message by Redis, and waits for its result."""
    command: Command = request.getfixturevalue(request.param)
    return command


def start(
    command: Command, redis_url: str, folder: Path, queue: str, task: str, arguments: object
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, queue, task, json.dumps(arguments)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


@pytest.fixture(scope="module")
def shelf(redis_url: str) -> Iterator[Redis]:
    """A database that no worker reads."""
    with Redis.from_url(redis_url.removesuffix("/0") + "/1") as client:
        client.flushdb()
        yield client


def put(
    command: Command, shelf: Redis, redis_url: str, folder: Path, task: str, arguments: object
) -> dict[str, Any]:
    """Let a producer send a message that is not carried out; return the element of its list."""
    queue = PUBLIC[task].queue
    url = redis_url.removesuffix("/0") + "/1"
    with start(command, url, folder, queue, task, arguments) as process:
        try:
            wait_until(lambda: shelf.llen(queue), 60, f"{task} is sent")
        finally:
            process.kill()
    raw: Any = shelf.rpop(queue)
    found: dict[str, Any] = json.loads(raw)
    return found


def problems_of(task: str, element: Mapping[str, Any]) -> list[str]:
    """Return what speaks against an element of a list, by the AsyncAPI document."""
    body = json.loads(base64.b64decode(element["body"]))
    return [
        *problems(DOCUMENT, DOCUMENT["components"]["schemas"]["Envelope"], element),
        *problems(DOCUMENT, MESSAGES[task]["headers"], element["headers"]),
        *problems(DOCUMENT, MESSAGES[task]["payload"], body),
    ]


@pytest.mark.parametrize("task", EXAMPLES)
def test_what_is_sent_is_the_documents_message_and_can_be_read_by_workers(
    producer: Command, shelf: Redis, redis_url: str, folder: Path, task: str
) -> None:
    arguments = dict(EXAMPLES[task][-1].arguments)
    element = put(producer, shelf, redis_url, folder, task, arguments)
    assert problems_of(task, element) == []
    kept = kept_message.read(json.dumps(element).encode())
    assert (kept.task, kept.arguments, kept.positional) == (task, arguments, ())


def blurred(element: Mapping[str, Any]) -> str:
    """Return an element without what is another one in each."""
    text = json.dumps(element, sort_keys=True)
    properties = element["properties"]
    for name in (element["headers"]["id"], properties["delivery_tag"]):
        text = text.replace(name, "ID")
    return text


def test_celery_node_writes_elements_as_they_are_known(
    node: Command, shelf: Redis, redis_url: str, folder: Path
) -> None:
    element = put(node, shelf, redis_url, folder, "sync_profile", SYNCED)
    assert blurred(element) == blurred(NODE_ELEMENT)


def test_an_element_of_celery_node_is_read_by_workers() -> None:
    assert problems_of("sync_profile", NODE_ELEMENT) == []
    raw = json.dumps(NODE_ELEMENT).encode()
    assert envelope.read(raw) == NODE_ELEMENT
    assert kept_message.read(raw).arguments == SYNCED


@pytest.fixture(scope="module")
def working(cluster: Cluster, worker: WorkerProcess) -> Cluster:
    """A cluster with a worker, a contact and its customer."""
    for name in ("a-contact", "another"):
        cluster.sandbox.put("contacts", name, {"attributes": {"tier": "gold"}})
        cluster.sandbox.put("customers", name, {})
    return cluster


def metas(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return what the result backend holds."""
    names = list(cluster.redis.scan_iter("celery-task-meta-*"))
    values: Any = cluster.redis.mget(names)
    return {name.decode(): json.loads(value) for name, value in zip(names, values, strict=True)}


def test_a_producer_is_given_the_result(
    working: Cluster, producer: Command, redis_url: str, folder: Path
) -> None:
    before = metas(working).keys()
    code, said, complained = ended(
        start(producer, redis_url, folder, "sync", "sync_profile", SYNCED)
    )
    assert (code, json.loads(said)["status"] in ("done", "noop")) == (0, True), complained
    (name,) = metas(working).keys() - before
    assert problems(DOCUMENT, MESSAGES["succeeded"]["payload"], metas(working)[name]) == []


def test_a_producer_is_told_why_a_message_was_refused(
    working: Cluster, producer: Command, redis_url: str, folder: Path
) -> None:
    before = metas(working).keys()
    code, said, complained = ended(
        start(producer, redis_url, folder, "sync", "sync_profile", {"contact_id": "no-such"})
    )
    assert (code, said) == (1, "")
    assert "Rejected: genesys answered 404" in complained
    (name,) = metas(working).keys() - before
    assert problems(DOCUMENT, MESSAGES["failed"]["payload"], metas(working)[name]) == []


@pytest.mark.parametrize("name", ["succeeded", "failed"])
def test_a_result_of_another_kind_does_not_fit(name: str) -> None:
    other = "failed" if name == "succeeded" else "succeeded"
    (example,) = MESSAGES[other]["examples"]
    assert problems(DOCUMENT, MESSAGES[name]["payload"], example["payload"]) != []


def test_celery_node_says_that_redis_is_away(node: Command, folder: Path) -> None:
    nowhere = f"redis://{HOST}:1/0"
    code, said, complained = ended(start(node, nowhere, folder, "sync", "sync_profile", SYNCED))
    assert (code, said) == (1, "")
    assert "ECONNREFUSED" in complained


@pytest.fixture(scope="module")
def writable(redis_url: str, folder: Path, worker: WorkerProcess) -> Iterator[RunningFlower]:
    """A Flower that may be used for sending."""
    with flower(redis_url, folder, "--allow-control") as running:
        running.hears()
        yield running


def by_curl(
    flower: RunningFlower, arguments: object, queue: str = "attributes", **variables: str
) -> tuple[int, str, str]:
    command = ["sh", str(EXAMPLES_FOLDER / "producer.sh"), queue, "set_attributes"]
    done = subprocess.run(
        [*command, json.dumps(arguments)],
        env={
            "PATH": os.environ["PATH"],
            "FLOWER_URL": flower.url,
            "FLOWER_PASSWORD": flower.password,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_message_by_flower_is_carried_out_and_its_values_are_seen_by_nobody(
    working: Cluster, writable: RunningFlower
) -> None:
    working.sandbox.put("conversations", "by-flower", {"participants": [{}]})
    asked = {"conversation_id": "by-flower", "attributes": {"tier": "canary-7f3a"}}
    code, said, complained = by_curl(writable, asked)
    assert code == 0, complained
    sent = json.loads(said)["task-id"]
    assert working.ending(sent)["result"]["status"] == "done"
    wait_until(
        lambda: writable.get("/api/tasks").get(sent, {}).get("state") == "SUCCESS",
        60,
        "Flower has seen the end",
    )
    (task,) = (each for name, each in writable.get("/api/tasks").items() if name == sent)
    assert "by-flower" not in task["kwargs"]
    assert "canary-7f3a" not in json.dumps(writable.get("/api/tasks"))
    assert "canary-7f3a" not in writable.log.read_text("utf-8") + working.logs()


def test_flower_takes_nothing_without_its_password(writable: RunningFlower) -> None:
    code, _, complained = by_curl(writable, {}, FLOWER_PASSWORD="another")
    assert code == 22
    assert "401" in complained


def test_a_flower_that_may_only_look_sends_nothing(
    redis_url: str, folder: Path, redis: Redis
) -> None:
    with flower(redis_url, folder) as running:
        code, _, complained = by_curl(running, {}, queue="attributes.nobody")
    assert code == 22
    assert "403" in complained
    assert not redis.exists("attributes.nobody")
