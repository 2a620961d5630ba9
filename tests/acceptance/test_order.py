"""Over two workers: one at a time on each resource, the newest value last, each effect once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, permutations
from typing import Any

import pytest

from tests.support.claiming import let_all_be_due
from tests.support.cluster import Cluster, wait_until
from tests.support.configuration import CONFIGURATION
from tests.support.planned import effects, ends, stage, states
from tests.support.runs import overlaps, spans
from tests.support.switches import SWITCHES, CustomerSwitch, Switch, moment, send
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.demo import attributes, deployments, merges, redactions, syncs
from workers.limits.rates import tenant_queue

#: Messages about one resource that are sent at once.
MANY = 6

#: What is put back waits until a test lets it be due, or for a few seconds.
PATIENT = {"ERROR_POLICY__5XX__FIRST_WAIT": "20"}

_numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def workers(cluster: Cluster) -> Iterator[list[WorkerProcess]]:
    patient = replace(cluster, environment={**cluster.environment, **PATIENT})
    with patient.worker() as first, patient.worker() as second:
        yield [first, second]


@pytest.fixture(autouse=True)
def no_faults(cluster: Cluster) -> None:
    cluster.sandbox.clear_faults()


def fresh() -> str:
    return f"order-{next(_numbers)}"


def result(cluster: Cluster, operation: str) -> Any:
    return cluster.ending(operation, 60)["result"]


@pytest.fixture(params=SWITCHES, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Switch]:
    chosen: type[Switch] = request.param
    return chosen


def test_true_false_true_ends_with_true_in_whatever_order_and_number_it_arrives(
    cluster: Cluster, app: WorkersApp, kind: type[Switch]
) -> None:
    rng = random.Random(5)
    rounds = []
    for order in permutations((1, 2, 3)):
        switch = kind.new(cluster, app)
        ids = {number: fresh() for number in order}
        deliveries = [*order, *rng.choices(order, k=3)]
        for number in deliveries:
            switch.set("false" if number == 2 else "true", ids[number], occurred_at=moment(number))
        rounds.append((switch, ids))
    cluster.wait_until_quiet(90)
    ended = list(ends(app.services))
    for switch, ids in rounds:
        assert switch.read() == "true"
        done = sorted(ids, key=lambda number: ended.index(ids[number]))
        for place, number in enumerate(done):
            late = any(number < earlier for earlier in done[:place])
            superseded = result(cluster, ids[number])["detail"]["superseded"]
            # A customer's value is overtaken as soon as a newer one waits to be written.
            overtaken = kind is CustomerSwitch and number < 3 and superseded == ["vip"]
            assert superseded == (["vip"] if late or overtaken else []), (done, number)
    assert app.services.dead_letters.count() == 0


def test_without_a_moment_the_order_of_first_claims_decides(
    cluster: Cluster, app: WorkersApp, kind: type[Switch]
) -> None:
    switch = kind.new(cluster, app)
    cluster.sandbox.fault(kind="status", status=503, **switch.write())
    first = switch.set("true", fresh())
    queue = "sync" if kind is CustomerSwitch else "attributes"
    wait_until(lambda: cluster.redis.exists(f"gw:delayed:{queue}"), 30, "it was put back")
    second = switch.set("false", fresh())
    assert result(cluster, second)["status"] == "done"
    let_all_be_due(cluster.redis, queue)
    assert result(cluster, first)["detail"]["superseded"] == ["vip"]
    assert switch.read() == "false"
    third = switch.set("true", fresh())
    assert result(cluster, third)["detail"]["superseded"] == []
    assert switch.read() == "true"


def test_the_same_message_delivered_ten_times_makes_one_effect(
    cluster: Cluster, app: WorkersApp
) -> None:
    rng = random.Random(9)
    errands = {
        fresh(): errand
        for tenant in ("default", "acme")
        for errand in (
            merges.plain(rng, tenant),
            merges.followed(merges.plain(rng, tenant)),
            attributes.plain(rng, tenant),
            deployments.plain(rng, tenant),
            redactions.plain(rng, tenant, personal=2),
            syncs.plain(rng, tenant),
        )
    }
    stage(cluster.sandbox, errands.values())
    before = effects(cluster.sandbox)
    for _ in range(10):
        for name, errand in errands.items():
            queue = tenant_queue(errand.queue, errand.organization)
            about = {"tenant": errand.organization, **errand.arguments}
            send(app, errand.task, queue, name, **about)
    cluster.wait_until_quiet(90)
    expected = dict.fromkeys(each for errand in errands.values() for each in errand.effects)
    assert effects(cluster.sandbox) - before == dict.fromkeys(expected, 1)
    assert all(states(cluster)[name] == ("ended", "done") for name in errands)
    assert {ends(app.services)[name] for name in errands} == {1}


def of_merges(cluster: Cluster, app: WorkersApp) -> list[str]:
    target, *sources = cluster.sandbox.ids("profiles")[: MANY + 1]
    return [
        send(
            app,
            "merge_profiles",
            "merge",
            fresh(),
            source_profile_ids=[source],
            target_profile_id=target,
        )
        for source in sources
    ]


def of_attributes(cluster: Cluster, app: WorkersApp) -> list[str]:
    cluster.sandbox.put("conversations", "shared", {"participants": [{}]})
    return [
        send(
            app,
            "set_attributes",
            "attributes",
            fresh(),
            conversation_id="shared",
            attributes={f"key_{number}": "set"},
        )
        for number in range(MANY)
    ]


def of_deployments(cluster: Cluster, app: WorkersApp) -> list[str]:
    return [
        send(
            app,
            "deploy_config",
            "deploy",
            fresh(),
            organization_ids=["org-001"],
            config={**CONFIGURATION, "font_size": 14 + number},
        )
        for number in range(MANY)
    ]


def of_syncs(cluster: Cluster, app: WorkersApp) -> list[str]:
    customer = cluster.sandbox.ids("customers")[0]
    return [
        send(
            app,
            "sync_profile",
            "sync",
            fresh(),
            contact_id=f"contact-{number}",
            customer_id=customer,
            attributes={f"key_{number}": "set"},
        )
        for number in range(MANY)
    ]


@pytest.mark.parametrize("send_many", [of_merges, of_attributes, of_deployments, of_syncs])
def test_operations_on_one_resource_run_one_at_a_time_and_all_of_them_end(
    cluster: Cluster, app: WorkersApp, send_many: Callable[[Cluster, WorkersApp], list[str]]
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=0.1, times=None)
    names = send_many(cluster, app)
    cluster.wait_until_quiet(120)
    assert {result(cluster, name)["status"] for name in names} == {"done"}
    found = spans(cluster.sandbox, names)
    assert sorted(each.operation for each in found) == sorted(names)
    assert overlaps(found) == []


def test_merges_of_two_profiles_into_each_other_do_not_block_each_other(
    cluster: Cluster, app: WorkersApp
) -> None:
    cluster.sandbox.fault(kind="latency", seconds=0.1, times=None)
    ids = cluster.sandbox.ids("profiles")[20:36]
    pairs = []
    for one, other in zip(ids[::2], ids[1::2], strict=True):
        there, back = fresh(), fresh()
        for name, source, target in ((there, one, other), (back, other, one)):
            about = {"source_profile_ids": [source], "target_profile_id": target}
            send(app, "merge_profiles", "merge", name, **about)
        pairs.append((there, back))
    cluster.wait_until_quiet(120)
    for pair in pairs:
        assert sorted(states(cluster)[name][1] for name in pair) == ["done", "rejected"]
        assert overlaps(spans(cluster.sandbox, pair)) == []
    merged = cluster.sandbox.effects(kind="profiles.merged")
    made = [each["correlation_id"] for each in merged]
    assert [sum(made.count(name) for name in pair) for pair in pairs] == [1] * len(pairs)
