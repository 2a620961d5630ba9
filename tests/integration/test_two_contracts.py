"""Tenants of both contracts in one worker: each speaks to its own API, by its own rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kombu import pools

from tests.support.cluster import Cluster
from tests.support.cranked import CrankedWorker
from tests.support.tenants import platform_tenant, tenant, tenants_file


@pytest.fixture
def cranked(cluster: Cluster, tmp_path: Path) -> Iterator[CrankedWorker]:
    """A worker for `default` on the guide contract and `acme` on the platform contract."""
    tables = {
        "default": tenant(cluster.sandbox),
        "acme": platform_tenant(cluster.sandbox, "acme", requests_per_minute=100),
    }
    path = tenants_file(tmp_path, **tables)
    app = replace(cluster, environment={"TENANTS_FILE": path}).app()
    yield CrankedWorker(app=app)
    results: Any = app.backend
    results.client.close()
    app.services.close()
    pools.reset()


def merge(target: str, source: str, **more: str) -> dict[str, Any]:
    return {"target_profile_id": target, "source_profile_ids": [source], **more}


def unmerged(cluster: Cluster) -> list[str]:
    sandbox = cluster.sandbox
    return [
        each
        for each in sandbox.ids("externalContacts", "acme")
        if "mergeSet" not in sandbox.get("externalContacts", each, "acme")
    ]


def test_each_tenant_merges_by_its_own_contract(cluster: Cluster, cranked: CrankedWorker) -> None:
    profiles, contacts = cluster.sandbox.ids("profiles"), unmerged(cluster)
    cranked.send("merge_profiles", merge(*profiles[:2]), "merge")
    cranked.send("merge_profiles", merge(*contacts[:2], tenant="acme"), "merge.acme")
    guide, platform = cranked.drain("merge", "merge.acme")
    assert guide.result["detail"]["profile_id"] == profiles[0]
    assert platform.result["detail"]["profile_id"] not in contacts
    effects = [(e["system"], e["kind"], e["organization"]) for e in cluster.sandbox.effects()]
    assert effects == [
        ("genesys", "profiles.merged", "default"),
        ("platform", "contacts.merged", "acme"),
    ]
    clients = {(e["system"], e["client"]) for e in cluster.sandbox.journal()}
    assert clients == {("genesys", "sandbox-client"), ("platform", "acme-platform")}


def test_an_external_contact_reaches_the_tenants_customer_store(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.put(
        "externalContacts",
        "ann",
        {"firstName": "Ann", "cellPhone": {"display": "5", "e164": "+4722334455"}},
        "acme",
    )
    message = {"contact_id": "ann", "customer_id": "ann", "tenant": "acme"}
    cluster.sandbox.put("customers", "ann", {}, "acme")
    cranked.send("sync_profile", message, "sync.acme")
    (turn,) = cranked.drain("sync.acme")
    assert turn.result["detail"]["sent"] == ["cellPhone", "firstName"]


def test_the_platforms_headers_lead_the_tenants_budget(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.put_client("acme-platform", requests_per_minute=40)
    contact = unmerged(cluster)[0]
    cranked.send("sync_profile", {"contact_id": contact, "tenant": "acme"}, "sync.acme")
    assert cranked.crank("sync.acme")
    spent = cluster.redis.hget("gw:budget:acme:genesys", "spent")
    assert spent == b"61"


def test_a_platform_429_pauses_the_tenants_system_for_as_long_as_the_server_says(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.put_client("acme-platform", requests_per_minute=1)
    cluster.sandbox.options(wait_told_in=["body"])
    first, second = ({"contact_id": contact, "tenant": "acme"} for contact in unmerged(cluster)[:2])
    cranked.send("sync_profile", first, "sync.acme")
    assert [turn.state for turn in cranked.drain("sync.acme")] == ["SUCCESS"]
    cranked.send("sync_profile", second, "sync.acme")
    turn = cranked.crank("sync.acme")
    assert turn is not None
    assert turn.state == "RETRY"
    assert 50_000 < cluster.redis.pttl("gw:pause:acme:genesys") <= 60_000
    assert cluster.redis.pttl("gw:pause:default:genesys") == -2
