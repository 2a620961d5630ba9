"""What two worker processes share: one token at a time, and the rates of the queues."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tasks.messages import SetAttributes, SyncProfile
from tests.support.cluster import RATES, Cluster
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp

SYNCS_A_SECOND = 10


@pytest.fixture(scope="module", autouse=True)
def two_workers(cluster: Cluster) -> Iterator[list[WorkerProcess]]:
    rates = RATES.replace("sync=9999/s", f"sync={SYNCS_A_SECOND}/s")
    slower = replace(cluster, environment={**cluster.environment, "QUEUE_RATES": rates})
    with ExitStack() as running:
        yield [running.enter_context(slower.worker()) for _ in range(2)]


@pytest.fixture(autouse=True)
def no_token(cluster: Cluster, two_workers: list[WorkerProcess]) -> None:
    """Every test begins without a token."""
    cluster.redis.delete(*cluster.redis.scan_iter("gw:token:*"), "gw:none")


def set_attributes(cluster: Cluster, app: WorkersApp, count: int) -> None:
    """Have attributes set on so many calls at once, and wait until it is done."""
    calls: dict[str, Any] = {f"call-{number}": {"participants": [{}]} for number in range(count)}
    cluster.sandbox.put_many("conversations", calls)
    sent = [
        app.services.producer.publish(
            SetAttributes(conversation_id=call, attributes={"at": str(time.time())})
        )
        for call in calls
    ]
    assert {cluster.ending(each)["result"]["status"] for each in sent} == {"done"}


def token_requests(cluster: Cluster, since: int) -> list[dict[str, Any]]:
    return cluster.sandbox.journal(route="/oauth/token", system="genesys", since=since)


def latest(cluster: Cluster) -> int:
    """Return the number of the newest entry of the sandbox's journal."""
    entries = cluster.sandbox.journal()
    return int(entries[-1]["seq"]) if entries else 0


def test_one_token_serves_all_operations_of_both_workers(
    cluster: Cluster, app: WorkersApp, two_workers: list[WorkerProcess]
) -> None:
    start = latest(cluster)
    cluster.sandbox.fault(kind="latency", seconds=1, route="/oauth/token")
    set_attributes(cluster, app, 30)
    assert len(token_requests(cluster, start)) == 1
    assert all("operation.ended" in worker.said() for worker in two_workers)


def test_a_token_that_expires_in_the_middle_is_renewed_once(
    cluster: Cluster, app: WorkersApp
) -> None:
    set_attributes(cluster, app, 1)
    start = latest(cluster)
    cluster.sandbox.fault(kind="expire_tokens", skip=20)
    set_attributes(cluster, app, 30)
    assert len(token_requests(cluster, start)) == 1
    statuses = [entry["status"] for entry in cluster.sandbox.journal(since=start)]
    assert 401 in statuses


def test_short_lived_tokens_are_renewed_early_and_once_each(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.sandbox.put_client("sandbox-client", token_seconds=4)
    start, began = latest(cluster), time.monotonic()
    while time.monotonic() < began + 5:
        set_attributes(cluster, app, 8)
    passed = time.monotonic() - began
    cluster.sandbox.put_client("sandbox-client", token_seconds=None)
    # A token of four seconds is used for two.
    assert 2 <= len(token_requests(cluster, start)) <= math.ceil(passed / 2)
    statuses = {entry["status"] for entry in cluster.sandbox.journal(since=start)}
    assert statuses == {200}


def test_the_rate_of_a_queue_holds_over_both_workers(cluster: Cluster, app: WorkersApp) -> None:
    count = 4 * SYNCS_A_SECOND
    contacts = {f"contact-{number}": {"attributes": {"tier": "gold"}} for number in range(count)}
    cluster.sandbox.put_many("contacts", contacts)
    cluster.sandbox.put_many("customers", {contact: {} for contact in contacts})
    began = time.time()
    sent = [app.services.producer.publish(SyncProfile(contact_id=each)) for each in contacts]
    assert {cluster.ending(each)["result"]["status"] for each in sent} == {"done"}
    reads = cluster.sandbox.journal(route="/api/v2/interactions/contacts/{contactId}")
    starts = sorted(entry["at"] for entry in reads)
    assert len(starts) == count
    # Two go at once. A message may start a little after its moment, never before it.
    earliest = [began + (number - 2) / SYNCS_A_SECOND for number in range(1, count + 1)]
    assert [at for at, early in zip(starts, earliest, strict=True) if at < early - 0.001] == []
    # Four seconds, and room for a machine that is busy.
    assert starts[-1] - starts[0] < 20
