"""Workers killed at every step that changes something by the `platform` contract.

What does not depend on the contract is in `test_crash_matrix`; `tests/soak` runs the whole table.
Calls of the tenant `acme` are slow: a worker that dies during one has long lost its lease when the
sandbox carries it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.catalogue import OPERATIONS
from tests.acceptance.test_crash_matrix import LEASE, SLOW, TIMEOUT, WORKERS
from tests.support.cluster import Cluster, wait_until
from tests.support.configuration import CONFIGURATION
from tests.support.contracts import Platform
from tests.support.crashing_app import CRASHED, SENT, STEPS
from tests.support.forked_workers import forked_workers
from tests.support.planned import check_chain, ends, states
from tests.support.tenants import tenants_file
from workers.app import WorkersApp
from workers.rates import tenant_queue
from workers.sandbox.testing import SandboxHandle

pytestmark = pytest.mark.slow

FAST = Platform(name="platform", tenant="default")
SLOWLY = Platform(name="platform", tenant="acme")

QUEUES = {operation.task: operation.queue for operation in OPERATIONS}

#: The steps that depend on what a call does.
CALLING = ("after-the-intent", "during-the-call", "after-the-effect", "after-the-answer")

#: The calls with an effect.
CHANGES = (
    ("POST", "/api/v2/externalcontacts/contacts/merge"),
    ("PATCH", "/api/v2/conversations/{conversationId}/participants/{participantId}/attributes"),
    ("PUT", "/api/v2/webdeployments/configurations/{configurationId}/versions/draft"),
    ("POST", "/api/v2/webdeployments/configurations/{configurationId}/versions/draft/publish"),
    ("PUT", "/api/v2/webdeployments/deployments/{deploymentId}"),
    ("PUT", "/api/v2/conversations/{conversationId}/recordings/{recordingId}"),
)

Stage = Callable[[Platform, SandboxHandle, str], dict[str, Any]]


def merge(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    for person in ("ann", "anna"):
        contract.put_person(sandbox, f"{person}-{name}", firstName=person)
    return {"target_profile_id": f"ann-{name}", "source_profile_ids": [f"anna-{name}"]}


def merge_and_sync(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    return {**merge(contract, sandbox, name), "customer_id": f"ann-{name}"}


def attributes(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    contract.put_call(sandbox, f"call-{name}")
    return {"conversation_id": f"call-{name}", "attributes": {"tier": "gold"}}


def deploy(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    return {**contract.put_site(sandbox, name), "config": CONFIGURATION}


def redact(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    contract.put_chat(sandbox, f"chat-{name}", "Write to ann@example.com")
    contract.put_recording(sandbox, f"chat-{name}")
    return {"interaction_id": f"chat-{name}"}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An operation, what it is about, its effects, and which of its calls ends the worker."""

    task: str
    stage: Stage
    effects: tuple[str, ...]
    call: str = ""


RELEASE = ("draft.put", "draft.published", "deployment.put")
KINDS = (
    Kind(task="merge_profiles", stage=merge, effects=("contacts.merged",)),
    Kind(task="merge_and_sync", stage=merge_and_sync, effects=("contacts.merged",)),
    Kind(task="set_attributes", stage=attributes, effects=("attributes.set",)),
    Kind(task="redact_interaction", stage=redact, effects=("recording.deletion_set",)),
    *(
        Kind(task="deploy_config", stage=deploy, effects=RELEASE, call=call)
        for call in ("versions/draft", "publish", "deployment_id")
    ),
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An operation, and the step at which it ends its worker."""

    kind: Kind
    step: str

    @property
    def operation_id(self) -> str:
        call = f"+{self.kind.call.rpartition('/')[2]}" if self.kind.call else ""
        return f"{self.kind.task}{call}@{self.step}"

    @property
    def contract(self) -> Platform:
        return SLOWLY if self.step == "during-the-call" else FAST

    def put(self, sandbox: SandboxHandle) -> dict[str, Any]:
        """Put into the sandbox what the operation is about, and return its arguments."""
        name = self.operation_id.replace("@", "-").replace("+", "-")
        return {"tenant": self.contract.tenant, **self.kind.stage(self.contract, sandbox, name)}


#: What is run each time: a merge's follow-up is sent with its end, whatever the contract.
CHOSEN = (
    *(
        Cell(kind=kind, step=step)
        for kind, step in product(KINDS, CALLING)
        if kind.task != "merge_and_sync"
    ),
    Cell(kind=KINDS[1], step="after-the-end"),
)
#: What `tests/soak` runs.
ALL = tuple(Cell(kind=kind, step=step) for kind, step in product(KINDS, STEPS))


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    """Two tenants on the platform contract, that have recordings of redacted chats deleted."""
    removing = {"platform": {"delete_recordings": True}}
    tables = {each.tenant: each.table(sandbox, **removing) for each in (FAST, SLOWLY)}
    return Cluster(
        redis=redis,
        redis_url=redis_url,
        sandbox=sandbox,
        folder=folder,
        environment={"TENANTS_FILE": tenants_file(folder, **tables)},
    )


def test_a_worker_killed_around_any_call_leaves_one_effect_and_one_end(
    cluster: Cluster, app: WorkersApp
) -> None:
    crash_everywhere(cluster, app, CHOSEN)


def crash_everywhere(cluster: Cluster, app: WorkersApp, cells: Iterable[Cell]) -> None:
    """Run the cells on the cluster, which nothing has run on before."""
    assert SENT < LEASE < SLOW < TIMEOUT
    matrix = {cell.operation_id: cell for cell in cells}
    for method, route in CHANGES:
        slow = {"kind": "latency", "seconds": SLOW, "times": None}
        cluster.sandbox.fault(client="acme-platform", method=method, route=route, **slow)
    for name, cell in matrix.items():
        app.services.producer.app.send_task(
            cell.kind.task,
            kwargs=cell.put(cluster.sandbox),
            queue=tenant_queue(QUEUES[cell.kind.task], cell.contract.tenant),
            task_id=name,
        )
    hasty = replace(cluster, environment={**cluster.environment, **_times()})
    crashing = "tests.support.crashing_app"
    with forked_workers(hasty.variables(), cluster.folder, crashing, WORKERS) as workers:

        def are_ended() -> bool:
            workers.check()
            ended = {name for name, (state, _) in states(cluster).items() if state != "claimed"}
            return ended >= matrix.keys() and cluster.is_quiet()

        wait_until(are_ended, 120, "every cell has ended", pause=0.2)
    check(cluster, app, matrix)


def _times() -> dict[str, str]:
    timeouts = {f"TIMEOUTS__{kind}": str(TIMEOUT) for kind in ("WRITE", "MERGE")}
    return {"LEASE_SECONDS": str(LEASE), **timeouts}


def check(cluster: Cluster, app: WorkersApp, matrix: Mapping[str, Cell]) -> None:
    services = app.services
    assert list(services.dead_letters.letters()) == []
    crashed = {each.decode() for each in cluster.redis.smembers(CRASHED)}  # type: ignore[union-attr]
    assert crashed == matrix.keys()
    effects = cluster.sandbox.effects(system="platform")
    happened = Counter((each["correlation_id"], each["kind"]) for each in effects)
    planned = [(name, kind) for name, cell in matrix.items() for kind in cell.kind.effects]
    assert happened == Counter(planned)
    ended = states(cluster)
    followed = {f"{name}:confirm" for name, end in ended.items() if end == ("ended", "accepted")}
    synced = {f"{name}:sync" for name, cell in matrix.items() if cell.kind is KINDS[1]}
    assert ended.keys() == matrix.keys() | followed | synced
    assert {end for name, end in ended.items() if f"{name}:confirm" not in followed} == {
        ("ended", "done")
    }
    assert ends(services) == dict.fromkeys(ended, 1)
    records = sum(check_chain(cluster, tenant) for tenant in services.tenants)
    assert records == len(ended)
    assert list(cluster.redis.scan_iter("gw:message:*")) == []
