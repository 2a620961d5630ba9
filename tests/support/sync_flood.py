"""Many changes of few customers, in no order and some of them twice, amid faults and kills."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.test_cxone_and_cognigy import cognigy_table, cxone_table
from tests.support.cluster import Cluster
from tests.support.planned import ends
from tests.support.tenants import UNLIMITED, tenant, tenants_file
from tests.support.waiting import wait_until
from tests.support.worker_group import WorkerGroup, start
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle

FIRST = datetime(2026, 3, 1, tzinfo=UTC)

#: Texts that every target has a field for.
FIELDS = ("firstname", "lastname", "gender", "birthday", "location", "profilepic")

#: The sandbox's name of a target's system, and how a write of it looks.
SYSTEMS = {
    "cxone-guide": ("cxone", "PUT"),
    "cxone": ("dfo", "PUT"),
    "cognigy": ("cognigy", "PATCH"),
}

#: The share of all calls that go wrong, and how.
SHARE = 0.05
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "latency", "seconds": 0.5},
    {"kind": "latency_after", "seconds": 0.5},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "truncated_body"},
)

#: Seconds of a lease, from the first message to a kill, and until everything has ended.
LEASE, BETWEEN, PATIENCE = 2, 2.0, 600
WORKERS = 2

#: The share of messages that are sent twice.
TWICE = 0.1


@dataclass(frozen=True, kw_only=True)
class Change:
    """One message: values of a customer, and when they occurred."""

    customer: str
    values: Mapping[str, str]
    moment: datetime
    name: str


@dataclass(frozen=True, kw_only=True)
class Flood:
    """Changes for the customers of one target, and the sandbox that they are for."""

    target: str
    sandbox: SandboxHandle
    changes: list[Change] = field(repr=False)

    def newest(self) -> dict[str, dict[str, str]]:
        """Return what each customer is to have in the end."""
        found: dict[str, dict[str, str]] = {}
        for change in sorted(self.changes, key=lambda each: each.moment):
            found.setdefault(change.customer, {}).update(change.values)
        return found

    def held(self) -> dict[str, dict[str, str]]:
        """Return what each customer has."""
        return {each: dict(self._fields(each)) for each in self.newest()}

    def writes(self) -> int:
        """Return how many writes have been asked for."""
        system, method = SYSTEMS[self.target]
        return len(self.sandbox.journal(system=system, method=method))

    def _fields(self, customer: str) -> Iterator[tuple[str, str]]:
        match self.target:
            case "cxone-guide":
                found = self.sandbox.get("customers", customer)["attributes"]
                held = {name: each["value"] for name, each in found.items()}
            case "cxone":
                listed = self.sandbox.get("cxoneCustomers", customer)["customFields"]
                held = {each["ident"]: each["value"] for each in listed}
            case _:
                held = self.sandbox.get("cognigyProfiles", customer)["profile"]
        return ((name, value) for name, value in held.items() if name in FIELDS)


def make(target: str, sandbox: SandboxHandle, *, messages: int, customers: int) -> Flood:
    """Return so many changes, each with a moment of its own; the customers are put there."""
    rng = random.Random(messages)
    names = [f"customer{number:016d}" for number in range(customers)]
    put_customers(target, sandbox, names)
    changes = [
        Change(
            customer=rng.choice(names),
            values=dict.fromkeys(rng.sample(FIELDS, rng.randint(1, 3)), f"v{number}"),
            moment=FIRST + timedelta(seconds=number),
            name=f"change-{number}",
        )
        for number in range(messages)
    ]
    return Flood(target=target, sandbox=sandbox, changes=changes)


def put_customers(target: str, sandbox: SandboxHandle, names: list[str]) -> None:
    if target == "cxone-guide":
        sandbox.put_many("customers", {each: {"customerId": each} for each in names})
    elif target == "cxone":
        for ident in FIELDS:
            definition = {"ident": ident, "label": ident, "type": "text"}
            sandbox.put("cxoneDefinitions", ident, definition)
        stamp = "2025-01-15T00:00:00.000Z"
        number = {"ident": "customer_number", "value": "0007", "updatedAt": stamp}
        known = {each: {"id": each, "customFields": [number]} for each in names}
        sandbox.put_many("cxoneCustomers", known)
    else:
        (project,) = sandbox.ids("cognigySchemas")
        profiles: dict[str, Any] = {
            each: {"_id": each, "contactIds": [each], "profile": {}, "projectId": project}
            for each in names
        }
        sandbox.put_many("cognigyProfiles", profiles)


def begin_anew(cluster: Cluster) -> None:
    """Forget all there was, in Redis and in the sandbox, whose budgets then never matter."""
    cluster.redis.flushdb()
    cluster.sandbox.reset()
    cluster.sandbox.options(requests_per_minute=UNLIMITED, cognigy_requests=UNLIMITED)


def syncing(cluster: Cluster, target: str, **changes: Any) -> Cluster:
    """Return the cluster with a tenant that syncs to the target, its table changed so."""
    sandbox = cluster.sandbox
    tables = {"cxone": cxone_table, "cognigy": cognigy_table}
    usual = tables[target](sandbox) if target in tables else tenant(sandbox)["sync"]
    if target == "cognigy":
        usual["requests_per_five_minutes"] = UNLIMITED
    table = tenant(sandbox, sync={**usual, **changes})
    environment = {
        "TENANTS_FILE": tenants_file(cluster.folder, default=table),
        "LEASE_SECONDS": str(LEASE),
    }
    return replace(cluster, environment={**cluster.environment, **environment})


def shuffled(flood: Flood) -> list[Change]:
    """Return all changes in no order, some of them twice."""
    rng = random.Random(1)
    twice = [each for each in flood.changes if rng.random() < TWICE]
    messages = [*flood.changes, *twice]
    rng.shuffle(messages)
    return messages


def send_one(app: WorkersApp, change: Change) -> None:
    """Send it as any stock client would."""
    arguments = {
        "contact_id": change.customer,
        "customer_id": change.customer,
        "attributes": dict(change.values),
        "occurred_at": change.moment.isoformat(),
    }
    client = app.services.producer.app
    client.send_task("sync_profile", kwargs=arguments, queue="sync", task_id=change.name)


def make_trouble(flood: Flood) -> None:
    system, _ = SYSTEMS[flood.target]
    for fault in FAULTS:
        flood.sandbox.fault(**fault, system=system, times=None, probability=SHARE / len(FAULTS))


def carry_through(cluster: Cluster, app: WorkersApp, flood: Flood, *, kills: int) -> None:
    """Send all changes, in parts, to workers of which one is killed after each part but the last.

    Each kill finds messages that wait, and some that are carried out.
    """
    messages = shuffled(flood)
    workers = [hire(cluster) for _ in range(WORKERS)]
    try:
        for kill in range(kills):
            place = kill % WORKERS
            workers[place].wait_until_ready()
            begun = time.monotonic()
            send(app, messages[kill :: kills + 1])
            # Where sending takes long, what was sent last waits for the end of its window now.
            time.sleep(max(0.0, begun + BETWEEN - time.monotonic()))
            assert not cluster.is_quiet(), "there was nothing left to be killed at"
            workers[place].kill()
            workers[place] = hire(cluster)
        send(app, messages[kills :: kills + 1])
        wait_until(cluster.is_quiet, PATIENCE, "all messages have ended", pause=0.2)
    finally:
        for worker in workers:
            worker.end()


def send(app: WorkersApp, changes: list[Change]) -> None:
    for each in changes:
        send_one(app, each)


def hire(cluster: Cluster) -> WorkerGroup:
    return start(cluster.variables(), cluster.folder, "-c", "8")


def check(flood: Flood, app: WorkersApp) -> None:
    """See that every message has ended well, once, and each customer has the newest values."""
    letters = list(app.services.dead_letters.letters())
    assert [each.reason for each in letters] == []
    assert ends(app.services) == dict.fromkeys((each.name for each in flood.changes), 1)
    assert flood.held() == flood.newest()
    assert flood.writes() <= len(flood.changes) / 3, f"{flood.writes()} writes"


def flood_target(
    cluster: Cluster, target: str, *, messages: int, customers: int, kills: int, window: float
) -> Flood:
    """Send so many messages to the target through workers that are killed, and check the end."""
    cluster = syncing(cluster, target, coalesce_seconds=window)
    flood = make(target, cluster.sandbox, messages=messages, customers=customers)
    make_trouble(flood)
    app = cluster.app()
    try:
        carry_through(cluster, app, flood, kills=kills)
        check(flood, app)
    finally:
        app.services.close()
        cluster.sandbox.clear_faults()
    return flood
