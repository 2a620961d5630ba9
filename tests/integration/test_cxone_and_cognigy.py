"""Syncs to CXone Digital Engagement and to Cognigy.AI through a worker: wiring, budgets, pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.cranked import CrankedWorker
from tests.support.tenants import UNLIMITED, tenant, tenants_file
from workers.sandbox.testing import SandboxHandle

ID = "0123456789abcdef01234567"
OTHER = "f" * 24
TARGETS = ("cxone", "cognigy")

Make = Callable[..., CrankedWorker]


@pytest.fixture
def make(cluster: Cluster, tmp_path: Path) -> Iterator[Make]:
    """Make a worker whose tenant syncs to a target, with changes to its table."""
    made: list[CrankedWorker] = []
    tables = {"cxone": cxone_table, "cognigy": cognigy_table}

    def make(target: str, **changes: Any) -> CrankedWorker:
        table = tenant(cluster.sandbox, sync={**tables[target](cluster.sandbox), **changes})
        environment = {"TENANTS_FILE": tenants_file(tmp_path, default=table)}
        made.append(CrankedWorker(app=replace(cluster, environment=environment).app()))
        return made[-1]

    put_customers(cluster.sandbox)
    yield make
    for cranked in made:
        cranked.app.services.close()
    cluster.sandbox.options(dfo_record_burst=250, cognigy_requests=1_000)


def cxone_table(sandbox: SandboxHandle) -> dict[str, Any]:
    return {
        "target": "cxone",
        "url": sandbox.dfo_url,
        "token_url": f"{sandbox.dfo_url}/authentication/v1/token/access-key",
        "access_key_id": "sandbox-access-key",
        "access_key_secret": "sandbox-access-key-secret",
        "requests_per_minute": UNLIMITED,
        "unmapped": "infer",
        "coalesce_seconds": 0,
    }


def cognigy_table(sandbox: SandboxHandle) -> dict[str, Any]:
    return {
        "target": "cognigy",
        "url": sandbox.cognigy_url,
        "api_key": "sandbox-cognigy-key",
        "unmapped": "infer",
        "coalesce_seconds": 0,
    }


def put_customers(sandbox: SandboxHandle) -> None:
    (project,) = sandbox.ids("cognigySchemas")
    stamp = "2025-01-15T00:00:00.000Z"
    number = {"ident": "customer_number", "value": "0007", "updatedAt": stamp}
    for each in (ID, OTHER):
        sandbox.put("cxoneCustomers", each, {"id": each, "customFields": [number]})
        body = {"_id": each, "profile": {}, "contactIds": [each], "projectId": project}
        sandbox.put("cognigyProfiles", each, body)


def sync(cranked: CrankedWorker, tier: str, customer_id: str = ID) -> str:
    """Send a message that brings its values: Genesys is not asked."""
    values = {"customer_number": "0007", "loyalty_tier": tier}
    message = {"contact_id": "c-1", "customer_id": customer_id, "attributes": values}
    return cranked.send("sync_profile", message, "sync")


def tiers(sandbox: SandboxHandle, customer_id: str = ID) -> dict[str, Any]:
    fields = sandbox.get("cxoneCustomers", customer_id)["customFields"]
    return {
        "cxone": {each["ident"]: each["value"] for each in fields}.get("loyalty_tier"),
        "cognigy": sandbox.get("cognigyProfiles", customer_id)["profile"].get("loyalty_tier"),
    }


def calls(sandbox: SandboxHandle, *statuses: int) -> list[str]:
    """The methods of all calls to the target, or of those that were answered like this."""
    found = [each for each in sandbox.journal() if each["system"] in ("dfo", "cognigy")]
    return [
        each["method"]
        for each in found
        if "token" not in each["route"] and each["status"] in (statuses or (each["status"],))
    ]


def spent(cluster: Cluster, system: str) -> tuple[int, int]:
    found: Any = cluster.redis.hmget(f"gw:budget:default:{system}", "spent", "reserved")
    return int(found[0]), int(found[1])


@pytest.mark.parametrize(
    ("target", "made"),
    [("cxone", ["GET", "GET", "PUT", "GET"]), ("cognigy", ["GET", "PATCH"])],
)
def test_a_message_reaches_its_customer_and_only_what_was_called_is_spent(
    cluster: Cluster, make: Make, target: str, made: list[str]
) -> None:
    cranked = make(target)
    sync(cranked, "gold")
    turn = cranked.crank("sync")
    assert turn is not None
    assert turn.result["status"] == "done"
    assert tiers(cluster.sandbox) == {"cxone": None, "cognigy": None, target: "gold"}
    assert calls(cluster.sandbox) == made
    assert spent(cluster, target) == (len(made), 0)
    assert cluster.redis.keys("gw:budget:*") == [f"gw:budget:default:{target}".encode()]


@pytest.mark.parametrize(
    ("target", "changes", "limit"),
    [
        ("cxone", {"requests_per_minute": 6}, 6),
        ("cognigy", {"requests_per_five_minutes": 6 * 6}, 6),
    ],
)
def test_no_window_sees_more_calls_than_its_budget(
    cluster: Cluster, make: Make, target: str, changes: dict[str, int], limit: int
) -> None:
    cranked = make(target, **changes)
    for number in range(8):
        sync(cranked, ("gold", "silver")[number % 2])
    while cranked.crank("sync"):
        pass
    assert 0 < len(calls(cluster.sandbox)) <= limit
    cranked.drain("sync")
    assert tiers(cluster.sandbox)[target] == "silver"


@pytest.mark.parametrize("target", TARGETS)
def test_a_429_that_names_no_wait_pauses_the_target_for_the_policys(
    cluster: Cluster, make: Make, target: str
) -> None:
    cranked = make(target)
    fault = {"cxone": "dfo", "cognigy": "cognigy"}[target]
    cluster.sandbox.fault(system=fault, kind="status", status=429, times=1)
    sync(cranked, "gold")
    turn = cranked.crank("sync")
    assert turn is not None
    assert turn.state == "RETRY"
    assert 3_000 < int(cluster.redis.pttl(f"gw:pause:default:{target}")) <= 5_000
    sync(cranked, "gold", OTHER)
    before = len(calls(cluster.sandbox))
    cranked.crank("sync")
    assert len(calls(cluster.sandbox)) == before
    turns = cranked.drain("sync")
    assert {turn.result["status"] for turn in turns if turn.state == "SUCCESS"} == {"done"}
    assert tiers(cluster.sandbox)[target] == tiers(cluster.sandbox, OTHER)[target] == "gold"


def test_a_full_record_holds_up_its_own_messages_alone(cluster: Cluster, make: Make) -> None:
    cluster.sandbox.options(dfo_record_burst=1)
    cranked = make("cxone", record_burst=1, record_per_minute=30.0)
    sync(cranked, "gold")
    sync(cranked, "silver")
    sync(cranked, "gold", OTHER)
    turns = [cranked.crank("sync") for _ in range(3)]
    assert [turn.state for turn in turns if turn] == ["SUCCESS", "RETRY", "SUCCESS"]
    assert 0 < max(cranked.waits.values()) <= 2.0
    assert cluster.redis.exists("gw:pause:default:cxone") == 0
    assert calls(cluster.sandbox, 429) == []
    assert tiers(cluster.sandbox)["cxone"] == tiers(cluster.sandbox, OTHER)["cxone"] == "gold"


def test_definitions_are_read_once_for_many_messages(cluster: Cluster, make: Make) -> None:
    cranked = make("cxone")
    for tier in ("gold", "silver", "gold"):
        sync(cranked, tier)
    cranked.drain("sync")
    asked = cluster.sandbox.journal(route="/dfo/3.0/customers/custom-field-definitions")
    assert len(asked) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_no_secret_of_a_target_is_in_redis_or_in_what_is_told(
    cluster: Cluster, make: Make, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cranked = make(target)
    sync(cranked, "no such tier" if target == "cxone" else "gold")
    turn = cranked.crank("sync")
    kept = "".join(str(cluster.redis.dump(name)) for name in cluster.redis.keys("*"))
    told = kept + repr(turn) + "".join(capfd.readouterr())
    assert "sandbox-access-key-secret" not in told
    assert "sandbox-cognigy-key" not in told


def test_a_profile_that_is_gone_is_made_once_and_written_from_then_on(
    cluster: Cluster, make: Make
) -> None:
    (project,) = cluster.sandbox.ids("cognigySchemas")
    cranked = make("cognigy", create_missing=True, project_id=project)
    for tier in ("gold", "silver"):
        sync(cranked, tier, "e" * 24)
        cranked.drain("sync")
    kinds = [each["kind"] for each in cluster.sandbox.effects()]
    assert kinds == ["cognigy.profile_created", "cognigy.profile_patched"]
    made = cluster.sandbox.effects(kind="cognigy.profile_created")[0]["subject"]
    assert cluster.sandbox.get("cognigyProfiles", made)["profile"]["loyalty_tier"] == "silver"


def test_who_does_not_want_to_be_known_is_left_alone(cluster: Cluster, make: Make) -> None:
    held = cluster.sandbox.get("cognigyProfiles", ID)
    held["profile"] = {"prevent_data_collection": True}
    cluster.sandbox.put("cognigyProfiles", ID, held)
    cranked = make("cognigy")
    sync(cranked, "gold")
    turn = cranked.crank("sync")
    assert turn is not None
    assert "prevent_data_collection is set" in str(turn.result)
    assert calls(cluster.sandbox) == ["GET"]
