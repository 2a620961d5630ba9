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
from tests.support.contracts import STARTED, Platform
from tests.support.crashing_app import CRASHED, SENT, STEPS
from tests.support.forked_workers import forked_workers
from tests.support.planned import check_chain, ends, states
from tests.support.tenants import tenants_file
from workers.app import WorkersApp
from workers.limits.rates import tenant_queue
from workers.sandbox.testing import SandboxHandle

pytestmark = pytest.mark.slow

FAST = Platform(name="platform", tenant="default")
SLOWLY = Platform(name="platform", tenant="acme")

QUEUES = {operation.task: operation.queue for operation in OPERATIONS}

#: The steps that depend on what a call does.
CALLING = ("after-the-intent", "during-the-call", "after-the-effect", "after-the-answer")

#: The calls with an effect, and the one that starts a job.
CHANGES = (
    ("POST", "/api/v2/externalcontacts/contacts/merge"),
    ("PATCH", "/api/v2/conversations/{conversationId}/participants/{participantId}/attributes"),
    ("PUT", "/api/v2/webdeployments/configurations/{configurationId}/versions/draft"),
    ("POST", "/api/v2/webdeployments/configurations/{configurationId}/versions/draft/publish"),
    ("PUT", "/api/v2/webdeployments/deployments/{deploymentId}"),
    ("PUT", "/api/v2/conversations/{conversationId}/recordings/{recordingId}"),
    ("POST", "/api/v2/gdpr/requests"),
    ("POST", "/api/v2/analytics/conversations/details/jobs"),
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


def redact_and_ask(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    """A chat of somebody who is known, so that there is whose data can be deleted."""
    contract.put_person(sandbox, f"ann-{name}")
    arguments = redact(contract, sandbox, name)
    (guest,) = _conversation(contract, sandbox, name)["participants"]
    known = {**guest, "externalContactId": f"ann-{name}"}
    _change_conversation(contract, sandbox, name, participants=[known])
    return arguments


def roll_back(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    """A deployment of a first version, whose configuration has got a second one."""
    site = contract.put_site(sandbox, name)
    place = ("webConfigurations", site["configuration_id"])
    held = sandbox.get(*place, contract.tenant)
    second = {**held["versions"][0], "version": "2"}
    sandbox.put(*place, {**held, "versions": [*held["versions"], second]}, contract.tenant)
    return {"deployment_id": site["deployment_id"], "to": f"{site['configuration_id']}:2"}


def confirm(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    arguments = attributes(contract, sandbox, name)
    (agent,) = _conversation(contract, sandbox, name, "call")["participants"]
    seen = {**agent, "attributes": arguments["attributes"]}
    _change_conversation(contract, sandbox, name, "call", participants=[seen])
    return {**arguments, "participant_id": agent["id"], "occurred_at": STARTED}


def sweep(contract: Platform, sandbox: SandboxHandle, name: str) -> dict[str, Any]:
    """A chat of a year in which no other sweep looks, and which is too long for a query."""
    redact(contract, sandbox, name)
    year = 2001 + next(number for number, step in enumerate(STEPS) if name.endswith(step))
    times = {"startTime": f"{year}-05-01T09:00:00.000Z", "endTime": f"{year}-05-01T09:30:00.000Z"}
    _change_conversation(contract, sandbox, name, **times)
    return {"since": f"{year}-01-01T00:00:00Z", "until": f"{year + 1}-01-01T00:00:00Z"}


def _conversation(
    contract: Platform, sandbox: SandboxHandle, name: str, kind: str = "chat"
) -> dict[str, Any]:
    return sandbox.get("platformConversations", f"{kind}-{name}", contract.tenant)


def _change_conversation(
    contract: Platform, sandbox: SandboxHandle, name: str, kind: str = "chat", **fields: Any
) -> None:
    changed = {**_conversation(contract, sandbox, name, kind), **fields}
    sandbox.put("platformConversations", f"{kind}-{name}", changed, contract.tenant)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An operation, what it is about, its effects, and which of its calls ends the worker.

    `sends` are the suffixes of what follows it, for the name that it is staged under; `steps` are
    those that it gets to.
    """

    task: str
    stage: Stage
    effects: tuple[str, ...] = ()
    call: str = ""
    sends: tuple[str, ...] = ()
    steps: tuple[str, ...] = STEPS


RELEASE = ("draft.put", "draft.published", "deployment.put")
KINDS = (
    Kind(task="merge_profiles", stage=merge, effects=("contacts.merged",)),
    Kind(
        task="merge_and_sync", stage=merge_and_sync, effects=("contacts.merged",), sends=("sync",)
    ),
    Kind(task="set_attributes", stage=attributes, effects=("attributes.set",)),
    Kind(task="redact_interaction", stage=redact, effects=("recording.deletion_set",)),
    *(
        Kind(task="deploy_config", stage=deploy, effects=RELEASE, call=call)
        for call in ("versions/draft", "publish", "deployment_id")
    ),
)
GDPR = Kind(
    task="redact_interaction",
    stage=redact_and_ask,
    effects=("recording.deletion_set", "gdpr.requested"),
    call="gdpr/requests",
)
ROLLBACK = Kind(task="rollback_deployment", stage=roll_back, effects=("deployment.put",))
CONFIRMATION = Kind(
    task="confirm_attributes",
    stage=confirm,
    steps=tuple(step for step in STEPS if step not in CALLING),
)
#: Its job changes nothing, and so has no intent; what it finds is redacted in its name.
SWEEP = Kind(
    task="redact_completed",
    stage=sweep,
    effects=("recording.deletion_set",),
    call="details/jobs",
    sends=("page-2", "chat-{name}"),
    steps=tuple(step for step in STEPS if step != "after-the-intent"),
)
#: Operations that may end as accepted: what follows them sees them through.
ACCEPTING = ("set_attributes", "redact_completed")


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

    @property
    def name(self) -> str:
        """What it is about has this in its ids."""
        return self.operation_id.replace("@", "-").replace("+", "-")

    @property
    def followers(self) -> list[str]:
        """The ids of the operations that it sends."""
        return [f"{self.operation_id}:{each.format(name=self.name)}" for each in self.kind.sends]

    def put(self, sandbox: SandboxHandle) -> dict[str, Any]:
        """Put into the sandbox what the operation is about, and return its arguments."""
        arguments = self.kind.stage(self.contract, sandbox, self.name)
        return {"tenant": self.contract.tenant, **arguments}


#: What is run each time: a merge's follow-up is sent with its end, whatever the contract, and the
#: irreversible call is the one whose repetition would be the worst.
CHOSEN = (
    *(
        Cell(kind=kind, step=step)
        for kind, step in product(KINDS, CALLING)
        if kind.task != "merge_and_sync"
    ),
    Cell(kind=KINDS[1], step="after-the-end"),
    Cell(kind=GDPR, step="during-the-call"),
    Cell(kind=GDPR, step="after-the-effect"),
    Cell(kind=ROLLBACK, step="after-the-effect"),
    Cell(kind=CONFIRMATION, step="after-the-claim"),
    Cell(kind=SWEEP, step="after-the-effect"),
)
#: What `tests/soak` runs.
ALL = tuple(
    Cell(kind=kind, step=step)
    for kind in (*KINDS, GDPR, ROLLBACK, CONFIRMATION, SWEEP)
    for step in kind.steps
)


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    """Two tenants on the platform contract, that remove all that they can of redacted chats.

    A request to delete somebody's data is under way for days, and jobs are over at once.
    """
    removing = {"platform": {"delete_recordings": True, "gdpr_requests": True}}
    at_once = {"analytics_queued_seconds": 0, "analytics_pending_seconds": 0}
    sandbox.options(gdpr_seconds=86_400, **at_once)
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

        wait_until(are_ended, 300, "every cell has ended", pause=0.2)
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
    accepted = {name for name, end in ended.items() if end == ("ended", "accepted")}
    assert {matrix[name].kind.task for name in accepted} <= {*ACCEPTING}
    confirmed = {
        f"{name}:confirm" for name in accepted if matrix[name].kind.task == "set_attributes"
    }
    sent = {each for cell in matrix.values() for each in cell.followers}
    assert ended.keys() == matrix.keys() | confirmed | sent
    assert {ended[name] for name in ended.keys() - accepted} == {("ended", "done")}
    assert ends(services) == dict.fromkeys(ended, 1)
    records = sum(check_chain(cluster, tenant) for tenant in services.tenants)
    assert records == len(ended)
    assert list(cluster.redis.scan_iter("gw:message:*")) == []
