"""A 429 of one tenant's system: no worker calls it until its time has passed; all else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.limits.rates import tenant_queue
from workers.policy import POLICY

PARTICIPANTS = "/api/v2/conversations/voice/participants"

#: Seconds of a pause, in which all other work has to be done, on a machine that is busy.
SECONDS = 12

#: Seconds in which a worker learns of a 429, and what it has sent until then arrives.
ON_ITS_WAY = 2
CALLS = 16

#: As many tries as no cause is granted.
MORE_THAN_ALL = max(rule.tries or 0 for rule in POLICY) + 1


@pytest.fixture(scope="module", autouse=True)
def two_workers(cluster: Cluster) -> Iterator[list[WorkerProcess]]:
    with cluster.worker() as one, cluster.worker() as other:
        yield [one, other]


@pytest.fixture(scope="module", autouse=True)
def calls(cluster: Cluster) -> None:
    live: dict[str, Any] = {f"call-{number}": {"participants": [{}]} for number in range(CALLS)}
    customers: dict[str, Any] = {f"contact-{number}": {} for number in range(CALLS)}
    for tenant in ("default", "acme"):
        cluster.sandbox.put_many("conversations", live, tenant)
        cluster.sandbox.put_many("customers", customers, tenant)


def set_attributes(app: WorkersApp, number: int, value: str, tenant: str = "default") -> str:
    arguments = {
        "conversation_id": f"call-{number}",
        "attributes": {"tier": value},
        "tenant": tenant,
        "correlation_id": f"{value}-{tenant}",
    }
    queue = tenant_queue("attributes", tenant)
    client = app.services.producer.app
    return str(client.send_task("set_attributes", kwargs=arguments, queue=queue).id)


def sync(app: WorkersApp, number: int) -> str:
    """Send a profile whose attributes the message brings: nothing is asked of Genesys."""
    arguments = {
        "contact_id": f"contact-{number}",
        "customer_id": f"contact-{number}",
        "attributes": {"tier": "gold"},
    }
    client = app.services.producer.app
    return str(client.send_task("sync_profile", kwargs=arguments, queue="sync").id)


def refuse(cluster: Cluster, *, skip: int = 0, times: int = 1, seconds: int = SECONDS) -> None:
    cluster.sandbox.fault(
        client="sandbox-client",
        route=PARTICIPANTS,
        kind="status",
        status=429,
        headers={"Retry-After": str(seconds)},
        skip=skip,
        times=times,
    )


def results(cluster: Cluster, sent: list[str]) -> list[dict[str, Any]]:
    return [cluster.ending(each, 60)["result"] for each in sent]


def asked(cluster: Cluster) -> list[dict[str, Any]]:
    """Return what was asked of the default tenant's Genesys, its tokens included."""
    return cluster.sandbox.journal(client="sandbox-client", system="genesys")


def refused_at(cluster: Cluster) -> float:
    return next(float(each["at"]) for each in asked(cluster) if each.get("fault") == "status")


def test_no_worker_calls_a_paused_system_and_all_other_work_goes_on(
    cluster: Cluster, app: WorkersApp
) -> None:
    refuse(cluster)
    first = set_attributes(app, 0, "one")
    wait_until(lambda: cluster.redis.exists("gw:pause:default:genesys"), 30, "it is paused")
    waiting = [set_attributes(app, number, "one") for number in range(1, CALLS)]
    others = [set_attributes(app, number, "one", "acme") for number in range(CALLS)]
    synced = [sync(app, number) for number in range(CALLS)]
    assert {each["status"] for each in results(cluster, others)} == {"done"}
    assert {each["status"] for each in results(cluster, synced)} == {"done"}
    assert cluster.redis.exists("gw:pause:default:genesys"), "the others waited for it"
    assert [each["attempts"] for each in results(cluster, waiting)] == [1] * (CALLS - 1)
    assert results(cluster, [first])[0]["attempts"] == 2
    paused = refused_at(cluster)
    assert [each for each in asked(cluster) if paused < each["at"] < paused + SECONDS] == []


def test_a_429_in_the_middle_of_a_flood_stops_both_workers(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.sandbox.clear_faults()
    known = len(asked(cluster))
    refuse(cluster, skip=6, seconds=3 * ON_ITS_WAY)
    sent = [set_attributes(app, number, "two") for number in range(CALLS)]
    assert {each["status"] for each in results(cluster, sent)} == {"done"}
    calls = asked(cluster)[known:]
    paused = next(each["at"] for each in calls if each.get("fault") == "status")
    # What was on its way already is let go.
    begun, over = paused + ON_ITS_WAY, paused + 3 * ON_ITS_WAY
    assert [each for each in calls if begun < each["at"] < over] == []


def test_a_429_uses_up_no_try(cluster: Cluster, app: WorkersApp) -> None:
    cluster.sandbox.clear_faults()
    refuse(cluster, times=MORE_THAN_ALL, seconds=0)
    (result,) = results(cluster, [set_attributes(app, 0, "three")])
    assert (result["status"], result["attempts"]) == ("done", MORE_THAN_ALL + 1)
