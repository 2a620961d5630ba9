"""A canary in every input, with good ends and bad ones: nobody sees it who looks from outside.

What names something is shown on purpose: ids of messages, operations, correlations and resources.
Those of customers hold the canary too: stores make them of addresses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from redis import Redis

from tasks.catalogue import OPERATIONS
from tests.integration.outside import Outside, answer
from tests.integration.outside import running as outside
from tests.support import canary, canary_stores, program
from tests.support.arriving import SECRET, enveloped, left
from tests.support.canary import HEADERS, MAIL, MALFORMED, REFUSED, SAID, TEXT, traces
from tests.support.cluster import Cluster, wait_until
from tests.support.contracts import CONTRACTS, GUIDE, PLATFORM
from tests.support.flower import RunningFlower, flower
from tests.support.hearing import hearing
from tests.support.program import Program
from tests.support.tenants import tenants_file
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.bridge.receiving.receiver import SECRET_HEADER
from workers.doctor.finding import Finding
from workers.doctor.sync import defined
from workers.doctor.visit import Visit
from workers.limits.overrides import Overrides
from workers.limits.rates import tenant_queue
from workers.sandbox.testing import SandboxHandle

QUEUES = {operation.task: operation.queue for operation in OPERATIONS}

#: How an outside system answers what is asked, or what is to be changed. What lets somebody through
#: in the end comes last.
STATUSES = (200, 302, 400, 401, 403, 404, 409, 422, 500, 429)
SYSTEMS = ("genesys", "platform", "cxone")
CALLS: tuple[Mapping[str, Any], ...] = (
    *({"system": each} for each in SYSTEMS),
    *canary_stores.READS,
)
WRITES: tuple[Mapping[str, Any], ...] = tuple(
    {"system": system, "method": method}
    for system, methods in {
        "genesys": ("POST", "PUT", "PATCH"),
        "platform": ("POST", "PUT", "PATCH"),
        "cxone": ("POST", "PUT"),
        **canary_stores.WRITES,
    }.items()
    for method in methods
)
TENANTS = (*(each.tenant for each in CONTRACTS), *canary_stores.TENANTS)

#: Tries are used up at once, so that everything ends.
QUICK = {
    "ERROR_POLICY__5XX__TRIES": "2",
    "ERROR_POLICY__5XX__FIRST_WAIT": "0.05",
    "ERROR_POLICY__409__TRIES": "2",
    "ERROR_POLICY__409__FIRST_WAIT": "0.05",
    "ERROR_POLICY__429__FIRST_WAIT": "0.5",
}
DEADLINES = ("attributes", "draft", "deployment")

SEEN = (
    *("the log of a worker", "the log of a worker with processes", "events", "inspect", "results"),
    *("letters", "audit records", "audit files", "metrics of a worker", "metrics of the cluster"),
    *("Flower's API", "Flower's pages", "Flower's metrics", "Flower's file", "Flower's log"),
    *("status", "dead-letters list", "dead-letters show", "audit tail", "bridge", "Redis"),
    *("doctor", "sync --dry-run"),
)


@pytest.fixture(scope="module")
def strangers() -> Iterator[tuple[Outside, Outside]]:
    """What should be a discovery of hosts, and a customer store, and answers anything."""
    with outside() as discovery, outside() as store:
        for each in (discovery, store):
            each.behaviours[:] = canary_stores.anything(STATUSES)
        yield discovery, store


@pytest.fixture(scope="module")
def cluster(
    redis: Redis,
    redis_url: str,
    sandbox: SandboxHandle,
    folder: Path,
    strangers: tuple[Outside, Outside],
) -> Iterator[Cluster]:
    """A tenant of each contract, one with a hook that fails, the other with a bridge; and a tenant
    of each customer store.
    """
    for name in ("archive", "audit"):
        (folder / name).mkdir()
    deadlines = {f"{name}_deadline_seconds": 1 for name in DEADLINES}
    platform = {"archive_folder": str(folder / "archive"), **deadlines}
    canary_stores.put(sandbox)
    with outside() as crm:
        crm.behaviours[:] = [answer(500, SAID, HEADERS)]
        tables = {
            GUIDE.tenant: GUIDE.table(sandbox, hooks={"merged": [f"{crm.url}/merged"]}),
            PLATFORM.tenant: PLATFORM.table(sandbox, platform=platform, bridge={"secret": SECRET}),
            **canary_stores.tables(sandbox, *(each.url for each in strangers)),
        }
        environment = {
            "TENANTS_FILE": tenants_file(folder, **tables),
            "SEAL_KEY": Fernet.generate_key().decode(),
            "AUDIT_DIR": str(folder / "audit"),
            "LOG_LEVEL": "DEBUG",
            "METRICS_ADDRESS": "127.0.0.1:0",
            **QUICK,
        }
        yield Cluster(
            redis=redis,
            redis_url=redis_url,
            sandbox=sandbox,
            folder=folder,
            environment=environment,
        )


class Sender:
    """Sends messages, and remembers their ids."""

    def __init__(self, cluster: Cluster, app: WorkersApp) -> None:
        self._cluster = cluster
        self._client = app.services.producer.app
        self.sent: list[str] = []

    def __call__(self, tenant: str, task: str, arguments: Mapping[str, Any]) -> str:
        sent = self._client.send_task(
            task,
            kwargs={"tenant": tenant, **arguments},
            queue=tenant_queue(QUEUES[task], tenant),
        )
        self.sent.append(sent.id)
        return str(sent.id)

    def errands(self, name: str) -> None:
        """Send messages of every task over both contracts, and to every customer store."""
        for contract in CONTRACTS:
            for task, arguments in canary.errands(contract, self._cluster.sandbox, name):
                self(contract.tenant, task, arguments)
        for tenant, (task, arguments) in canary_stores.errands(self._cluster.sandbox, name):
            self(tenant, task, arguments)

    def what_is_refused(self) -> None:
        """Send messages that break a rule, and those of which a customer store says anything."""
        for task, arguments in REFUSED:
            self("default", task, arguments)
        refused = canary_stores.refused(self._cluster.sandbox)
        for tenant, (task, arguments) in (*refused, *canary_stores.strangers(20)):
            self(tenant, task, arguments)

    def against(self, status: int, *, writes: bool) -> None:
        """Send them while outside systems answer with a status, and the canary."""
        sandbox = self._cluster.sandbox
        once = {"times": 1, "headers": {**HEADERS, "Retry-After": "1"}}
        how = once if status == 429 else {"times": None, "headers": HEADERS}
        name = f"{'write' if writes else 'call'}-{status}"
        fault = {"kind": "status", "status": status, "body": SAID, **how}
        for each in WRITES if writes else CALLS:
            sandbox.fault(**each, **fault)
        self.errands(name)
        tenant, (task, arguments) = canary_stores.newcomer(self._cluster.redis, name)
        self(tenant, task, arguments)
        self._cluster.wait_until_quiet(30)
        sandbox.clear_faults()


def looked_at_inside(cluster: Cluster, app: WorkersApp, send: Sender) -> str:
    """Return what workers tell of a message that they are carrying out."""
    cluster.sandbox.put("conversations", "slow-call", {"participants": [{}]})
    cluster.sandbox.fault(kind="latency", seconds=2, system="genesys", method="GET", times=None)
    running = send(
        "default", "set_attributes", {"conversation_id": "slow-call", "attributes": {MAIL: TEXT}}
    )
    wait_until(lambda: cluster.redis.exists("gw:leases"), 10, "it is claimed")
    inspect = app.control.inspect(timeout=5, limit=2)
    wait_until(lambda: running in str(inspect.active()), 10, "it is carried out")
    cluster.sandbox.clear_faults()
    told: list[Any] = [inspect.query_task(running), inspect.active(), inspect.reserved()]
    told += [inspect.stats(), inspect.conf(), inspect.report(), inspect.registered()]
    assert "{attributes, conversation_id, tenant}" in str(told[0])
    return str(told)


def delivered(bridge: Program) -> str:
    """Let a bridge take events, and return what it tells anybody."""
    url = bridge.says(r"bridge listening on (\S+)")[1]
    said = []
    for event in (
        enveloped(left("bridged", customAttributes={MAIL: TEXT}, participantName=TEXT)),
        enveloped({**left("bridged-2"), "topicName": f"v2.detail.events.{MAIL}"}),
        {**enveloped(left("bridged-3")), "source": TEXT, "detail-type": TEXT},
        {"detail": TEXT, MAIL: TEXT},
        TEXT,
        [TEXT, {MAIL: canary.NUMBER}],
    ):
        for secret in (SECRET, TEXT.encode()):
            with requests.post(
                f"{url}/events/{PLATFORM.tenant}",
                data=json.dumps(event),
                headers={SECRET_HEADER: secret, "X-Request-Id": TEXT},
                timeout=10,
            ) as told:
                said.append(f"{told.status_code} {told.text}")
    assert {each[:3] for each in said} == {"200", "400", "401"}
    looked = (requests.get(url + path, timeout=10) for path in ("/metrics", "/health"))
    return "\n".join([*said, *(each.text for each in looked)])


def found_by_doctor(cluster: Cluster, app: WorkersApp) -> str:
    """Return what is found of the customer stores that answer with the canary."""
    found: list[Finding] = []
    for status in STATUSES:
        fault = {"kind": "status", "status": status, "body": SAID, "headers": HEADERS}
        for each in canary_stores.READS:
            cluster.sandbox.fault(**each, **fault, times=None)
        for name in ("application", "cognigy"):
            tenant = app.services.tenants[name]
            found += defined(Visit.of(app.services, tenant, counted=True))
        cluster.sandbox.clear_faults()
    return str(found)


def shown_by(flower: RunningFlower, ids: list[str]) -> dict[str, str]:
    """Return what Flower shows to whoever looks."""
    flower.get("/api/workers?refresh=1")
    names = list(flower.get("/api/workers"))
    about = [flower.ask("GET", f"/api/workers?refresh=1&workername={name}").text for name in names]
    table = "/tasks/datatable?draw=1&start=0&length=1000&order[0][column]=0&columns[0][data]=name"
    pages = ["/", "/tasks", "/broker", table, *(f"/worker/{name}" for name in names)]
    pages += [f"/task/{each}" for each in ids]
    return {
        "Flower's API": flower.ask("GET", "/api/tasks?limit=10000").text + "".join(about),
        "Flower's pages": "".join(map(flower.page, pages)),
        "Flower's metrics": flower.page("/metrics"),
    }


def said_by_commands(cluster: Cluster, *commands: str) -> list[str]:
    """Return what commands say, which run side by side."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "workers.cli", *command.split()],
            env={**os.environ, **cluster.variables(), "COLUMNS": "300"},
            cwd=cluster.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started), said
    return said


def scraped(process: Program | WorkerProcess) -> str:
    """Return the metrics that a process shows, which has told where."""
    wait_until(lambda: "metrics.shown" in process.said(), 30, "metrics are shown")
    told = next(each for each in process.said().splitlines() if "metrics.shown" in each)
    with requests.get(f"http://{json.loads(told)['address']}/metrics", timeout=10) as shown:
        return shown.text


@pytest.fixture(scope="module")
def seen(cluster: Cluster, app: WorkersApp, folder: Path) -> Mapping[str, str]:
    """What everybody has seen after everything has ended."""
    return {**seen_meanwhile(cluster, app, folder), **kept(cluster, app, folder)}


def seen_meanwhile(cluster: Cluster, app: WorkersApp, folder: Path) -> dict[str, str]:
    """Let everything happen, and return what is seen of it by whoever watches."""
    send = Sender(cluster, app)
    variables = {**cluster.variables(), "RECEIVER_ADDRESS": "127.0.0.1:0"}
    with ExitStack() as running:
        metrics, bridge = (
            running.enter_context(program.running([each], variables, folder, each))
            for each in ("metrics", "bridge")
        )
        threads = running.enter_context(cluster.worker())
        processes = running.enter_context(cluster.worker("-P", "processes", "-c", "2"))
        events = running.enter_context(hearing(app))
        watching = running.enter_context(
            flower(cluster.redis_url, folder, "--persistent", str(folder / "seen-by-flower"))
        )
        watching.hears()
        send.errands("good")
        for tenant, (task, arguments) in canary_stores.read(cluster.sandbox):
            send(tenant, task, arguments)
        cluster.wait_until_quiet(60)
        inspected = looked_at_inside(cluster, app, send)
        for writes in (False, True):
            for status in STATUSES:
                send.against(status, writes=writes)
        send.what_is_refused()
        cluster.redis.lpush("attributes", *MALFORMED)
        taken, examined = delivered(bridge), found_by_doctor(cluster, app)
        cluster.wait_until_quiet(30)
        watching.await_state(send.sent[-1], "FAILURE")
        shown = {
            **shown_by(watching, send.sent[:: len(send.sent) // 20]),
            "metrics of a worker": scraped(threads),
            "metrics of the cluster": scraped(metrics),
        }
    return {
        **shown,
        "the log of a worker": threads.said(),
        "the log of a worker with processes": processes.said(),
        "events": str(events),
        "inspect": inspected,
        "bridge": taken + bridge.said(),
        "doctor": examined,
        "Flower's log": watching.log.read_text("utf-8"),
    }


def kept(cluster: Cluster, app: WorkersApp, folder: Path) -> dict[str, str]:
    """Return what is kept of everything, and what commands say of it."""
    letters = list(app.services.dead_letters.letters())
    customer = canary_stores.customer_of("good")
    listed, shown, status, tail, dry = said_by_commands(
        cluster,
        "dead-letters list",
        f"dead-letters show {letters[0].id}",
        "status --json",
        "audit tail",
        f"sync {canary_stores.CONTACT} --tenant digital --customer {customer} --dry-run",
    )
    records = [each for tenant in TENANTS for each in app.services.audit.records(tenant)]
    results = [cluster.redis.get(name) for name in cluster.redis.scan_iter("celery-task-meta-*")]
    files = [path.read_bytes() for path in folder.glob("seen-by-flower*")]
    return {
        "results": str(results),
        "letters": str(letters),
        "audit records": json.dumps(records),
        "audit files": "".join(path.read_text("utf-8") for path in (folder / "audit").rglob("*.*")),
        "Flower's file": "".join(each.decode("latin-1") for each in files),
        "status": status,
        "dead-letters list": listed,
        "dead-letters show": shown,
        "audit tail": tail,
        "sync --dry-run": dry,
        "Redis": canary.all_of(cluster.redis),
    }


def test_messages_of_every_task_have_ended_in_every_way(
    seen: Mapping[str, str], app: WorkersApp
) -> None:
    ended = {
        (record["task"], record["status"])
        for one in CONTRACTS
        for record in app.services.audit.records(one.tenant)
        if "status" in record
    }
    tasks = {task for task, _ in ended}
    assert set(QUEUES) - {"confirm_replication", "rollback_deployment", "sweep_page"} <= tasks
    statuses = {status for _, status in ended}
    assert {"done", "accepted", "rejected", "conflict", "failed"} <= statuses
    kinds = ("received", "started", "succeeded", "failed", "retried", "revoked")
    assert [kind for kind in kinds if f"task-{kind}" not in seen["events"]] == []
    # A put-back is told by its reason, of threads and of processes.
    assert "'exception': 'genesys answered 429" in seen["events"]
    assert "Retry(" not in seen["events"]


def test_customer_stores_have_answered_everything_in_every_way(
    seen: Mapping[str, str], cluster: Cluster, strangers: tuple[Outside, Outside]
) -> None:
    answered = {
        (each["method"], each["route"], each["status"])
        for system in ("dfo", "cognigy")
        for each in cluster.sandbox.journal(system=system)
    }
    expected = {(*call, status) for call in canary_stores.CALLS for status in STATUSES}
    assert expected - answered == set()
    # Of what the others say, the last stays.
    assert [len(each.behaviours) for each in strangers] == [1, 1]


@pytest.mark.parametrize("where", SEEN)
def test_the_canary_is_seen_nowhere(seen: Mapping[str, str], where: str) -> None:
    assert len(seen[where]) > 50
    assert traces(seen[where]) == []


def test_all_of_it_was_there(
    seen: Mapping[str, str],
    cluster: Cluster,
    app: WorkersApp,
    strangers: tuple[Outside, Outside],
) -> None:
    """In what is kept sealed, at the outside systems, and on queues while it waits there."""
    letters = app.services.dead_letters
    sealed = [
        letter
        for letter in letters.letters()
        if traces(letters.content(letter.id).decode("latin-1"))
    ]
    tasks = {letter.task for letter in sealed}
    assert {"set_attributes", "confirm_attributes", "sync_profile", "deploy_config"} <= tasks
    assert set(TENANTS) <= {letter.tenant for letter in sealed}
    customer = cluster.sandbox.get("customers", "good-contact-1")["attributes"]
    assert customer["title"]["value"] == MAIL
    assert canary_stores.held(cluster.sandbox, "good") == {"digital": MAIL, "cognigy": MAIL}
    assert traces(strangers[1].requests[0].headers["x-api-key"])
    Overrides(store=app.services.store).pause("default", "test")
    arguments = {"conversation_id": "a-call", "attributes": {"tier": TEXT}}
    Sender(cluster, app)("default", "set_attributes", arguments)
    assert traces(canary.all_of(cluster.redis))
