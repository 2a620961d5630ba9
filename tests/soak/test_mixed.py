"""Two thousand mixed operations amid faults, duplicates, kills and a restart of Redis."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tasks.messages import PUBLIC, parse
from tests.support.cluster import Cluster
from tests.support.planned import check_chain, effects, ends, stage, states
from tests.support.restartable_redis import RestartableRedis, redis_url, server
from tests.support.worker_group import WorkerGroup, start
from workers.app import Services, WorkersApp
from workers.demo.endings import endings
from workers.demo.errand import DONE
from workers.demo.jobs import with_job_ids
from workers.demo.plan import Plan, Planned, make_plan
from workers.demo.verdict import judge
from workers.limits.rates import tenant_queue

__all__ = ["redis_url", "server"]

SEED = 4
MESSAGES = 2_000
WORKERS = 3

ACCEPTED = frozenset({"accepted"})

#: Seconds of a lease, of a call until it is given up, and between two kills.
LEASE, TIMEOUT, BETWEEN = 2, 5, 4.0

#: Kills before Redis is restarted, and seconds after which not everything has ended.
KILLS_BEFORE, PATIENCE = 5, 900

#: The share of all calls that go wrong, and how; another writer comes with the plan itself.
SHARE = 0.05
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "latency", "seconds": 1.0},
    {"kind": "latency_after", "seconds": 1.0},
    {"kind": "latency_after", "seconds": TIMEOUT + 2.0},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "slow_body", "seconds": 1.0},
    {"kind": "truncated_body"},
)

#: Tokens expire, each time after so many calls more: an operation whose renewed token is refused
#: too ends as rejected, as the policy says.
EXPIRIES, APART = 20, 400


@pytest.fixture(scope="module")
def cluster(cluster: Cluster) -> Cluster:
    timeouts = {f"TIMEOUTS__{kind}": str(TIMEOUT) for kind in ("READ", "WRITE", "MERGE", "TOKEN")}
    timeouts["TIMEOUTS__REPLICATION"] = str(TIMEOUT)
    lasting = {"LEASE_SECONDS": str(LEASE), **timeouts}
    return replace(cluster, environment={**cluster.environment, **lasting})


def test_2000_mixed_operations_amid_faults_and_kills_each_end_and_take_effect_once(
    cluster: Cluster, app: WorkersApp, server: RestartableRedis
) -> None:
    plan = make_plan(seed=SEED, messages=MESSAGES)
    prepare(cluster, plan)
    send(app, plan)
    kills = carry_through(cluster, server)
    assert kills > KILLS_BEFORE
    check(cluster, app, plan)


def prepare(cluster: Cluster, plan: Plan) -> None:
    errands = [planned.errand for planned in plan.planned]
    stage(cluster.sandbox, errands)
    for errand in errands:
        for own in errand.faults:
            cluster.sandbox.fault(**own)
    for fault in FAULTS:
        cluster.sandbox.fault(**fault, times=None, probability=SHARE / len(FAULTS))
    for number in range(1, EXPIRIES + 1):
        cluster.sandbox.fault(kind="expire_tokens", skip=number * APART)


def send(app: WorkersApp, plan: Plan) -> None:
    """Send every message of the plan, second ones among them, in no order."""
    messages = [(planned, name) for planned in plan.planned for name in planned.message_ids]
    random.Random(SEED).shuffle(messages)
    for planned, name in messages:
        send_one(app, planned, name)


def send_one(app: WorkersApp, planned: Planned, message_id: str) -> None:
    errand, producer = planned.errand, app.services.producer
    if planned.by_us:
        producer.publish(parse(PUBLIC[errand.task], planned.arguments()))
        return
    producer.app.send_task(
        errand.task,
        args=errand.positional,
        kwargs=planned.arguments(),
        queue=tenant_queue(errand.queue, errand.organization),
        task_id=message_id,
    )


def carry_through(cluster: Cluster, server: RestartableRedis) -> int:
    """Run workers until everything has ended, killing one every few seconds; return the kills."""
    workers = [hire(cluster) for _ in range(WORKERS)]
    deadline = time.monotonic() + PATIENCE
    try:
        for kills in count():
            if over_within(BETWEEN, cluster):
                return kills
            assert time.monotonic() < deadline, cluster.logs()[-5_000:]
            place = kills % WORKERS
            workers[place].wait_until_ready()
            workers[place].kill()
            if kills == KILLS_BEFORE:
                restart(server)
            workers[place] = hire(cluster)
    finally:
        for worker in workers:
            worker.end()
    raise AssertionError("a count has ended")


def hire(cluster: Cluster) -> WorkerGroup:
    return start(cluster.variables(), cluster.folder)


def restart(server: RestartableRedis) -> None:
    server.kill()
    time.sleep(1)
    server.start()


def over_within(seconds: float, cluster: Cluster) -> bool:
    """Return whether all messages have ended, before so many seconds are over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if cluster.is_quiet():
            return True
        time.sleep(0.2)
    return False


def check(cluster: Cluster, app: WorkersApp, plan: Plan) -> None:
    services = app.services
    plan = with_job_ids(plan, cluster.sandbox.effects(kind="replication.started"))
    plan = Plan(planned=tuple(found_done(each, states(cluster)) for each in plan.planned))
    names = [name for planned in plan.planned for name, _, _ in planned.expected()]
    ended = ends(services)
    letters = [each.id.partition(":")[2] for each in services.dead_letters.letters()]
    happened = effects(cluster.sandbox).elements()
    verdict = judge(
        plan,
        ended=endings(services, names),
        effects=happened,
        recorded=[*ended, *refused(services)],
        parked=letters,
    )
    assert "\n".join(verdict.problems) == ""
    assert {name: times for name, times in ended.items() if times != 1} == {}
    assert {state for state, _ in states(cluster).values()} <= {"ended", "failed"}
    for tenant in services.tenants:
        assert check_chain(cluster, tenant) > 0
    assert list(cluster.redis.scan_iter("gw:message:*")) == []


def found_done(planned: Planned, held: Mapping[str, tuple[str, str]]) -> Planned:
    """Allow for a replication that was complete before its start, unanswered, was tried again."""
    done = held.get(planned.operation_id) == ("ended", "done")
    if not done or planned.errand.endings != ACCEPTED or planned.errand.task != "deploy_config":
        return planned
    return replace(planned, errand=replace(planned.errand, endings=DONE, follow_ups=()))


def refused(services: Services) -> list[str]:
    """Return the ids of messages that the audit tells to have been refused."""
    records = (each for tenant in services.tenants for each in services.audit.records(tenant))
    return [each["message_id"] for each in records if each.get("message_id")]
