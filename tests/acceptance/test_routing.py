"""Which queue a message ends on, and whose turn it is: the default queue, and several tenants."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.claiming import clock
from tests.support.cluster import RATES, Cluster
from tests.support.stamping import OPTIONS, message, put, stamps
from tests.support.tenants import tenant, tenants_file
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.limits.priority import lists
from workers.limits.rates import DEFAULT_QUEUE, tenant_queue

TENANTS = ("default", "acme", "globex")
SYNCS_A_SECOND = 5
SYNCS = 15
SLOTS = 4


@pytest.fixture(scope="module")
def cluster(cluster: Cluster, folder: Path) -> Cluster:
    """A cluster of three tenants, one of whose queues has a narrow rate."""
    others = {name: tenant(cluster.sandbox, name) for name in ("default", "acme")}
    third = {**others["acme"], "client_id": "globex-client"}
    cluster.sandbox.put_client(
        "globex-client", organization="globex", system="genesys", secret="acme-secret"
    )
    environment = {
        "TENANTS_FILE": tenants_file(folder, **others, globex=third),
        "QUEUE_RATES": f"{RATES},sync.acme={SYNCS_A_SECOND}/s",
    }
    for name in TENANTS:
        cluster.sandbox.put("conversations", "a-call", {"participants": [{}]}, name)
    return replace(cluster, environment={**cluster.environment, **environment})


@pytest.fixture(scope="module", autouse=True)
def worker(cluster: Cluster) -> Iterator[WorkerProcess]:
    with cluster.worker(*OPTIONS) as running:
        yield running


def send(app: WorkersApp, task: str, arguments: dict[str, Any], **options: Any) -> str:
    """Send a message without a queue: a stock client puts it on the default one."""
    client = app.services.producer.app
    assert client.conf.task_default_queue == DEFAULT_QUEUE
    return str(client.send_task(task, kwargs=arguments, **options).id)


def attributes(name: str) -> dict[str, Any]:
    values = {"at": str(uuid4())}
    return {"conversation_id": "a-call", "attributes": values, "tenant": name}


def test_messages_without_a_queue_are_carried_out_for_their_tenants(
    cluster: Cluster, app: WorkersApp
) -> None:
    asked = {
        name: send(app, "set_attributes", {**attributes(name), "correlation_id": name})
        for name in TENANTS
    }
    merges = send(app, "merge_profiles", {"target_profile_id": "no", "source_profile_ids": ["one"]})
    for name, sent in asked.items():
        assert cluster.ending(sent)["result"]["tenant"] == name
        (effect,) = cluster.sandbox.effects(correlation_id=name)
        assert (effect["organization"], effect["kind"]) == (name, "participant.attributes")
    assert cluster.ending(merges)["status"] == "FAILURE"
    (letter,) = app.services.dead_letters.letters()
    assert (letter.queue, letter.reason) == ("merge", "target_profile_id: there is no profile no")
    granted = Counter[str]()
    for span in cluster.redis.scan_iter("gw:granted:*"):
        counted: Any = cluster.redis.hgetall(span)
        granted.update({queue.decode(): int(count) for queue, count in counted.items()})
    wanted = {"attributes": 1, "attributes.acme": 1, "attributes.globex": 1, "merge": 1}
    assert granted == {**wanted, DEFAULT_QUEUE: 4}


def test_the_rate_of_the_queue_they_end_on_applies(cluster: Cluster, app: WorkersApp) -> None:
    contacts: dict[str, Any] = {
        f"contact-{number}": {"attributes": {"tier": "gold"}} for number in range(SYNCS)
    }
    cluster.sandbox.put_many("contacts", contacts, "acme")
    cluster.sandbox.put_many("customers", {each: {} for each in contacts}, "acme")
    began = time.time()
    sent = [send(app, "sync_profile", {"contact_id": each, "tenant": "acme"}) for each in contacts]
    assert {cluster.ending(each)["result"]["status"] for each in sent} == {"done"}
    reads = cluster.sandbox.journal(route="/api/v2/interactions/contacts/{contactId}")
    begun = sorted(each["at"] for each in reads)
    assert len(begun) == SYNCS
    # Two go at once; a call leaves a little after its message was claimed, never before.
    earliest = [began + (number - 2) / SYNCS_A_SECOND for number in range(1, SYNCS + 1)]
    assert [at for at, early in zip(begun, earliest, strict=True) if at < early - 0.001] == []


def test_they_wait_where_their_tenant_is_paused(cluster: Cluster, app: WorkersApp) -> None:
    paused = app.services.runner.connections["acme"]
    paused.pause("genesys", 300, by_server=False)
    waiting = send(app, "set_attributes", attributes("acme"), priority=6)
    other = send(app, "set_attributes", attributes("globex"))
    assert cluster.ending(other)["result"]["status"] == "done"
    low = lists("attributes.acme")[2]
    wait_until(lambda: cluster.redis.llen(low) == 1, 30, "it is passed on, as urgent as it was")
    wait_until(lambda: not cluster.redis.exists("gw:leases"), 30, "no slot is taken by it")
    assert cluster.redis.llen(low) == 1
    cluster.redis.delete("gw:pause:acme:genesys")
    assert cluster.ending(waiting)["result"]["status"] == "done"


def test_a_delayed_one_is_passed_on_when_it_is_due(cluster: Cluster, app: WorkersApp) -> None:
    due = time.time() + 1
    sent = send(app, "set_attributes", {**attributes("acme"), "correlation_id": "due"}, countdown=1)
    assert cluster.ending(sent)["result"]["status"] == "done"
    assert cluster.sandbox.journal(correlation_id="due")[0]["at"] >= due - 0.001


@pytest.mark.parametrize(
    ("task", "arguments", "reason"),
    [
        ("set_attributes", attributes("nobody"), "tenant: is not a tenant of this installation"),
        ("no_such_task", {}, "task: is not a task of this installation"),
    ],
)
def test_what_belongs_nowhere_is_kept(
    cluster: Cluster, app: WorkersApp, task: str, arguments: dict[str, Any], reason: str
) -> None:
    sent = send(app, task, arguments)
    assert cluster.ending(sent)["status"] == "FAILURE"
    cluster.wait_until_quiet()
    letters = [each for each in app.services.dead_letters.letters() if each.id.endswith(sent)]
    assert [(each.queue, each.reason) for each in letters] == [(DEFAULT_QUEUE, reason)]


def test_tenants_with_a_backlog_take_turns_and_live_messages_go_before_it(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.redis.delete("stamps")
    # The work of two tenants takes ten times as long as that of the third.
    busy = {"default": 0.1, "acme": 0.1, "globex": 0.01}
    for name, seconds in busy.items():
        backlog = (message(name, seconds=seconds) for _ in range(500))
        put(cluster.redis, tenant_queue("redact", name), backlog)
    # The tenant whose backlog was there first has begun alone.
    begun = clock(cluster.redis)
    waits = [live_message_waits(cluster, TENANTS[number % 3], number) for number in range(30)]
    backlog_stamps = [each for each in stamps(cluster.redis) if each.queue.startswith("redact")]
    seen = [each for each in backlog_stamps if each.at > begun]
    left = cluster.redis.exists(*(tenant_queue("redact", name) for name in TENANTS))
    for name in TENANTS:
        cluster.redis.delete(tenant_queue("redact", name))
    cluster.wait_until_quiet()
    assert left == len(TENANTS), "the backlog ended before the measurement"
    assert len(seen) >= 30
    shares = Counter(each.name for each in seen).values()
    # What has been claimed last may not have begun.
    assert max(shares) - min(shares) <= SLOTS
    overtaken = [each for each in seen if any(sent < each.at < at for sent, at in waits)]
    assert overtaken == [], "a live message was there, and waited for others"
    assert statistics.median(at - sent for sent, at in waits) < 1


def live_message_waits(cluster: Cluster, name: str, number: int) -> tuple[float, float]:
    """Return when a live message of a tenant was there, and when it was claimed (Redis clock)."""
    time.sleep(0.05)
    live = f"live-{number}"
    put(cluster.redis, tenant_queue("attributes", name), [message(live)])
    sent = clock(cluster.redis)

    def claimed() -> list[float]:
        return [each.at for each in stamps(cluster.redis) if each.name == live]

    wait_until(claimed, 30, "it is claimed")
    return sent, claimed()[0]
