"""Workers on fakeredis's server: what is claimed is carried out, put back, and restored."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from redis import ConnectionError as NotUp
from redis import Redis

from tasks.messages import SyncProfile
from tests.support.cluster import Cluster, wait_until
from workers.embedded.loopback import HOST, free_port
from workers.embedded.redis_server import Source, find
from workers.sandbox.testing import SandboxHandle
from workers.sending.producer import Producer
from workers.store import Store

CONTACTS = "/api/v2/interactions/contacts/{contactId}"
LEASE = 2

_numbers = count(1)


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except NotUp:
        return False


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The stand-in of a machine without any redis-server, as the demo starts it."""
    port, folder = free_port(), tmp_path_factory.mktemp("fakeredis")
    process = subprocess.Popen(
        find(Source.fakeredis).command(port, folder), stderr=subprocess.DEVNULL
    )
    try:
        with Redis(host=HOST, port=port) as client:
            wait_until(lambda: answers(client), 30, "fakeredis answers")
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, tmp_path: Path) -> Cluster:
    return Cluster(
        redis=redis,
        redis_url=redis_url,
        sandbox=sandbox,
        folder=tmp_path,
        environment={"LEASE_SECONDS": str(LEASE), "TIMEOUTS__READ": "60"},
    )


@pytest.fixture
def producer(redis_url: str) -> Iterator[Producer]:
    made = Producer(redis_url)
    yield made
    made.app.close()


def send(cluster: Cluster, producer: Producer, delay: float = 0.0) -> str:
    contact = f"contact-{next(_numbers)}"
    cluster.sandbox.put_many("contacts", {contact: {"attributes": {"tier": "gold"}}})
    cluster.sandbox.put_many("customers", {contact: {}})
    return producer.publish(SyncProfile(contact_id=contact), delay)


def status_of(cluster: Cluster, sent: str) -> str:
    return str(cluster.ending(sent, 60)["result"]["status"])


def reads(cluster: Cluster) -> int:
    return len(cluster.sandbox.journal(route=CONTACTS))


def test_messages_are_carried_out_and_leave_nothing_behind(
    cluster: Cluster, producer: Producer
) -> None:
    with cluster.worker():
        sent = [send(cluster, producer) for _ in range(10)]
        assert {status_of(cluster, each) for each in sent} == {"done"}
        cluster.wait_until_quiet()


def test_a_message_waits_for_its_moment(cluster: Cluster, producer: Producer) -> None:
    with cluster.worker():
        sent = Store(redis=cluster.redis).now()
        later, now = send(cluster, producer, delay=3), send(cluster, producer)
        assert {status_of(cluster, each) for each in (later, now)} == {"done"}
    first, second = cluster.sandbox.journal(route=CONTACTS)
    assert [each["correlation_id"] for each in (first, second)] == [now, later]
    assert second["at"] >= sent + 3


def test_a_message_that_may_not_run_yet_is_put_back_and_carried_out_later(
    cluster: Cluster, producer: Producer
) -> None:
    later = {"status": 429, "headers": {"Retry-After": "3"}}
    cluster.sandbox.fault(kind="status", route=CONTACTS, **later)
    with cluster.worker():
        sent = send(cluster, producer)
        wait_until(lambda: cluster.redis.zcard("gw:delayed:sync"), 30, "it has been put back")
        assert status_of(cluster, sent) == "done"
    assert reads(cluster) == 2


def test_a_worker_that_is_ended_gives_back_what_it_has_not_begun(
    cluster: Cluster, producer: Producer
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=1, times=None, route=CONTACTS)
    with cluster.worker("-c", "1"):
        sent = [send(cluster, producer) for _ in range(3)]
        wait_until(lambda: reads(cluster), 30, "the first one runs")
    cluster.sandbox.clear_faults()
    assert cluster.redis.zcard("gw:leases") == 0
    with cluster.worker():
        assert {status_of(cluster, each) for each in sent} == {"done"}


def test_a_killed_workers_message_is_run_by_another_one(
    cluster: Cluster, producer: Producer
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=30, route=CONTACTS)
    with cluster.worker() as killed:
        sent = send(cluster, producer)
        wait_until(lambda: reads(cluster), 30, "it runs")
        killed.kill()
    with cluster.worker():
        assert status_of(cluster, sent) == "done"
    assert reads(cluster) == 2


def test_a_long_message_on_a_living_worker_runs_once(cluster: Cluster, producer: Producer) -> None:
    cluster.sandbox.fault(kind="latency", seconds=3 * LEASE, route=CONTACTS)
    with cluster.worker(), cluster.worker():
        assert status_of(cluster, send(cluster, producer)) == "done"
    assert reads(cluster) == 1
