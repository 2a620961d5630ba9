"""Workers killed at every step of every operation: each has one effect, one end, one record.

The cells of the matrix run at once, each with a message and a step of its own, on workers that
carry out one message at a time and are replaced whenever they die. In the cells whose worker dies
during the call, the sandbox carries the call out when the lease has long ended.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from tests.support.cluster import Cluster, wait_until
from tests.support.crashing_app import CRASHED, SENT, STEPS
from tests.support.forked_workers import forked_workers
from tests.support.planned import check_chain, effects, ends, stage, states
from workers.app import WorkersApp
from workers.demo import attributes, deployments, merges, redactions, syncs
from workers.demo.endings import endings
from workers.demo.errand import Errand
from workers.limits.rates import tenant_queue

WORKERS = 6
LEASE = 2

#: Seconds that a call takes whose worker dies meanwhile: longer than the lease, and than its kill.
#: Nothing may be done about it before its timeout.
SLOW, TIMEOUT = 3.0, 6

Make = Callable[[random.Random, str], Errand]

OPERATIONS: Mapping[str, Make] = {
    "merge_profiles": merges.plain,
    "merge_and_sync": lambda rng, tenant: merges.followed(merges.plain(rng, tenant)),
    "set_attributes": attributes.plain,
    "deploy_config": deployments.plain,
    "redact_interaction": partial(redactions.plain, personal=2),
    "sync_profile": syncs.plain,
}

#: The calls with an effect, by the client that makes them for the tenant of the slow ones.
CHANGES = (
    ("acme-client", "POST", "/api/v2/identity/profiles/merge"),
    ("acme-client", "PATCH", "/api/v2/conversations/voice/participants/{participantId}"),
    ("acme-client", "PUT", "/api/v2/webchat/organizations/{orgId}/configurations"),
    ("acme-client", "PATCH", "/api/v2/interactions/{id}"),
    ("acme-cxone", "PUT", "/api/v2/customers/{customerId}/attributes"),
)


#: What cannot be read back is written again, with the same values.
REPEATABLE = "/api/v2/customers/{customerId}/attributes"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An operation, and the step at which it ends its worker."""

    task: str
    step: str
    errand: Errand

    @property
    def operation_id(self) -> str:
        return f"{self.task}@{self.step}"

    def expected(self) -> list[str]:
        """Return the ids of the operations that end well: its own, and what follows it."""
        followers = [f"{self.operation_id}:{each.suffix}" for each in self.errand.follow_ups]
        return [self.operation_id, *followers]

    def calls(self) -> list[str]:
        """Return its id for every call with an effect that is made once."""
        repeatable = sum(each.kind == "customer.attributes" for each in self.errand.effects)
        return [self.operation_id] * (len(self.errand.effects) - repeatable)


def cells(seed: int) -> list[Cell]:
    rng = random.Random(seed)
    return [
        Cell(
            task=task,
            step=step,
            errand=OPERATIONS[task](rng, "acme" if step == "during-the-call" else "default"),
        )
        for task, step in product(OPERATIONS, STEPS)
    ]


def test_a_worker_killed_at_any_step_of_any_operation_leaves_one_effect_and_one_end(
    cluster: Cluster, app: WorkersApp
) -> None:
    crash_everywhere(cluster, app, seed=7)


def crash_everywhere(cluster: Cluster, app: WorkersApp, seed: int) -> None:
    """Run the whole matrix on the cluster, which nothing has run on before."""
    assert SENT < LEASE < SLOW < TIMEOUT
    matrix = cells(seed)
    stage(cluster.sandbox, (cell.errand for cell in matrix))
    for client, method, route in CHANGES:
        slow = {"kind": "latency", "seconds": SLOW, "times": None}
        cluster.sandbox.fault(client=client, method=method, route=route, **slow)
    for cell in matrix:
        send(app, cell)
    expected = {name for cell in matrix for name in cell.expected()}
    hasty = replace(cluster, environment={**cluster.environment, **_times()})
    crashing = "tests.support.crashing_app"
    with forked_workers(hasty.variables(), cluster.folder, crashing, WORKERS) as workers:

        def are_ended() -> bool:
            workers.check()
            return endings(app.services, list(expected)).keys() == expected and cluster.is_quiet()

        wait_until(are_ended, 300, "every cell has ended", pause=0.2)
    check(cluster, app, matrix, expected)


def _times() -> dict[str, str]:
    kinds = ("WRITE", "MERGE")
    timeouts = {f"TIMEOUTS__{kind}": str(TIMEOUT) for kind in kinds}
    return {"LEASE_SECONDS": str(LEASE), **timeouts}


def send(app: WorkersApp, cell: Cell) -> None:
    """Send the message as any stock client would: its Celery id is the operation's."""
    errand = cell.errand
    app.services.producer.app.send_task(
        errand.task,
        kwargs={"tenant": errand.organization, **errand.arguments},
        queue=tenant_queue(errand.queue, errand.organization),
        task_id=cell.operation_id,
    )


def calls(cluster: Cluster) -> Counter[str]:
    """Return how many calls were carried out for each operation that changed something."""
    once = {(method, route) for _, method, route in CHANGES if route != REPEATABLE}
    return Counter(
        call["correlation_id"]
        for call in cluster.sandbox.journal()
        if (call["method"], call["route"]) in once and call["status"] < 300
    )


def check(cluster: Cluster, app: WorkersApp, matrix: list[Cell], expected: set[str]) -> None:
    services = app.services
    crashed = {each.decode() for each in cluster.redis.smembers(CRASHED)}  # type: ignore[union-attr]
    assert crashed == {cell.operation_id for cell in matrix}
    assert list(services.dead_letters.letters()) == []
    planned = [effect for cell in matrix for effect in cell.errand.effects]
    assert effects(cluster.sandbox) == dict.fromkeys(planned, 1)
    once = Counter(name for cell in matrix for name in cell.calls())
    assert calls(cluster) == once
    assert states(cluster) == dict.fromkeys(expected, ("ended", "done"))
    assert ends(services) == dict.fromkeys(expected, 1)
    assert set(endings(services, list(expected)).values()) == {"done"}
    records = sum(check_chain(cluster, tenant) for tenant in services.tenants)
    assert records == len(expected)
    assert list(cluster.redis.scan_iter("gw:message:*")) == []
