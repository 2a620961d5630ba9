"""`genesys-workers sync`: what it shows, sends and erases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.test_cxone_and_cognigy import cxone_table
from tests.support.cluster import Cluster, wait_until
from tests.support.cranked import CrankedWorker
from tests.support.tenants import platform_tenant, tenant, tenants_file
from workers.cli.main import FAILED, MISUSED, run
from workers.sandbox.testing import SandboxHandle

Captured = pytest.CaptureFixture[str]

CONTACT = "contact-1"
ATTRIBUTES = {"customer_number": "0007", "loyalty_tier": "gold", "city": "Ghent", "notes": "vip"}
STAMP = "2025-01-15T00:00:00.000Z"


def use(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, **sync: Any) -> None:
    """Let this process's environment lead to the cluster, whose guide tenant syncs to CXone."""
    guide = tenant(cluster.sandbox, sync={**cxone_table(cluster.sandbox), **sync})
    platform = platform_tenant(cluster.sandbox, "acme", sync=guide["sync"])
    tables = {"default": guide, "acme": platform}
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **tables)
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    use(cluster, monkeypatch)
    sandbox = cluster.sandbox
    sandbox.put("contacts", CONTACT, {"contactId": CONTACT, "attributes": ATTRIBUTES})
    put_fields(sandbox, CONTACT, customer_number="0007", loyalty_tier="silver")
    return cluster


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[CrankedWorker]:
    cranked = CrankedWorker(app=cluster.app())
    yield cranked
    cranked.app.services.close()


def put_fields(sandbox: SandboxHandle, customer: str, **values: str) -> None:
    fields = [{"ident": k, "value": v, "updatedAt": STAMP} for k, v in values.items()]
    sandbox.put("cxoneCustomers", customer, {"id": customer, "customFields": fields})


def fields(sandbox: SandboxHandle, customer: str = CONTACT) -> dict[str, str]:
    listed = sandbox.get("cxoneCustomers", customer)["customFields"]
    return {each["ident"]: each["value"] for each in listed}


def command(captured: Captured, line: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a command that ends with `code`, and return the JSON lines that it printed."""
    captured.readouterr()
    assert run(line.split()) == code, captured.readouterr().err
    return [json.loads(each) for each in captured.readouterr().out.splitlines()]


def waiting(cluster: Cluster, queue: str = "sync") -> int:
    return int(cluster.redis.llen(queue))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("sync", "give a CONTACT_ID, or --all"),
        ("sync c-1 --all", "give a CONTACT_ID, or --all"),
        ("sync ../x", "is not an id"),
        ("sync c-1 --customer ../x", "is not an id"),
        ("sync --all --customer c-1", "goes with one contact"),
        ("sync c-1 --show-values", "goes with --dry-run"),
        ("sync c-1 --tenant nobody", "unknown; the tenants are default, acme"),
    ],
)
def test_a_wrong_usage_is_one_line_and_exit_code_2(
    cluster: Cluster, line: str, rule: str, capsys: Captured
) -> None:
    assert run(line.split()) == MISUSED
    said = capsys.readouterr()
    assert rule in said.err
    assert said.err.count("\n") == 1


def test_a_dry_run_shows_each_field_masked_and_writes_nothing(
    cluster: Cluster, capsys: Captured
) -> None:
    head, *rows = command(capsys, f"sync {CONTACT} --dry-run")
    assert head == {"contact": CONTACT, "customer": CONTACT, "status": "dry run"}
    assert rows == [
        {"field": "customer_number", "change": "same", "now": "***", "would_be": "***"},
        {"field": "loyalty_tier", "change": "changed", "now": "***", "would_be": "***"},
        {"field": "city", "change": "new", "now": "", "would_be": "***"},
        {"field": "notes", "change": "new", "now": "", "would_be": "***"},
    ]
    _, *rows = command(capsys, f"sync {CONTACT} --dry-run --show-values")
    shown = {"field": "loyalty_tier", "change": "changed", "now": "silver", "would_be": "gold"}
    assert shown in rows
    assert cluster.sandbox.effects() == []
    assert waiting(cluster) == 0
    assert list(cluster.redis.scan_iter("gw:pending:*")) == []


def test_a_dry_run_for_another_customer_is_about_that_one(
    cluster: Cluster, capsys: Captured
) -> None:
    put_fields(cluster.sandbox, "c-9", loyalty_tier="gold")
    head, *rows = command(capsys, f"sync {CONTACT} --customer c-9 --dry-run")
    assert head["customer"] == "c-9"
    changes = {each["field"]: each["change"] for each in rows}
    assert changes["loyalty_tier"] == "same"
    assert changes["customer_number"] == "new"


def test_what_is_in_the_way_is_one_line_and_exit_code_1(cluster: Cluster, capsys: Captured) -> None:
    attributes = {**ATTRIBUTES, "loyalty_tier": "adamant", "colour": "red"}
    contact = {"contactId": CONTACT, "attributes": attributes}
    cluster.sandbox.put("contacts", CONTACT, contact)
    assert run(["sync", CONTACT, "--dry-run"]) == FAILED
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "'loyalty_tier' is none of" in said
    assert "'colour' maps to 'colour', which the target does not define" in said
    assert "adamant" not in said


def test_without_a_dry_run_a_message_is_sent_and_does_what_was_shown(
    cluster: Cluster, worker: CrankedWorker, capsys: Captured
) -> None:
    (said,) = command(capsys, f"sync {CONTACT}")
    assert (said["contact"], said["status"]) == (CONTACT, "sent")
    (turn,) = worker.drain("sync")
    assert turn.result["operation_id"] == said["operation_id"]
    assert turn.result["detail"]["sent"] == ["city", "loyalty_tier", "notes"]
    assert fields(cluster.sandbox) == ATTRIBUTES
    (_, *rows) = command(capsys, f"sync {CONTACT} --dry-run")
    assert {each["change"] for each in rows} == {"same"}


SCAN = "/api/v2/externalcontacts/scan/contacts"
MANY = 250


def put_contacts(sandbox: SandboxHandle) -> int:
    """Put more contacts than one page holds, and return how many can be listed."""
    known = {str(uuid4()): {"lastName": "Doe"} for _ in range(MANY)}
    sandbox.put_many("externalContacts", known, "acme")
    ids = sandbox.ids("externalContacts", "acme")
    return sum("mergedTo" not in sandbox.get("externalContacts", each, "acme") for each in ids)


def test_all_contacts_get_one_message_each_also_where_a_run_was_killed(
    cluster: Cluster, capsys: Captured
) -> None:
    contacts = put_contacts(cluster.sandbox)
    (counted,) = command(capsys, "sync --all --tenant acme --dry-run")
    assert counted == {"contacts": contacts, "sent": 0, "status": "dry run"}
    assert waiting(cluster, "sync.acme") == 0

    cluster.sandbox.fault(kind="latency", seconds=30, route=SCAN, skip=1, times=1)
    program = [sys.executable, "-m", "workers.cli", "sync", "--all", "--tenant", "acme"]
    with subprocess.Popen(program, env={**os.environ}) as process:
        wait_until(lambda: waiting(cluster, "sync.acme") == 200, 60, "the first page is sent")
        wait_until(lambda: len(scans(cluster)) == 4, 60, "the second one is asked for")
        process.kill()
    assert run(["sync", "--all", "--tenant", "acme"]) == 0
    said = capsys.readouterr()
    assert "going on after 200 contacts" in said.err
    assert json.loads(said.out) == {
        "contacts": contacts,
        "sent": contacts - 200,
        "status": "sent",
    }
    assert waiting(cluster, "sync.acme") == contacts
    assert "cursor" in scans(cluster)[4]["query"]
    assert list(cluster.redis.scan_iter("gw:checkpoint:*")) == []


def scans(cluster: Cluster) -> list[dict[str, Any]]:
    return cluster.sandbox.journal(route=SCAN)


def test_a_run_whose_place_has_expired_begins_anew_and_sends_nothing_twice(
    cluster: Cluster, capsys: Captured
) -> None:
    command(capsys, "sync --all --tenant acme --dry-run")
    held = {"run": "sync-all-1", "cursor": "bm9uZQ==", "contacts": 200}
    cluster.redis.set("gw:checkpoint:acme:sync", json.dumps(held))
    assert run(["sync", "--all", "--tenant", "acme"]) == 0
    assert "beginning anew" in capsys.readouterr().err
    sent = waiting(cluster, "sync.acme")
    cluster.redis.set("gw:checkpoint:acme:sync", json.dumps(held))
    assert run(["sync", "--all", "--tenant", "acme"]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == 0
    assert waiting(cluster, "sync.acme") == sent


def test_a_contract_that_lists_no_contacts_says_so(cluster: Cluster, capsys: Captured) -> None:
    assert run(["sync", "--all"]) == FAILED
    assert "the guide contract lists no contacts" in capsys.readouterr().err


class TestErasure:
    @pytest.fixture
    def smaller(
        self, cluster: Cluster, worker: CrankedWorker, monkeypatch: pytest.MonkeyPatch
    ) -> Cluster:
        """What was synced as a whole, by a tenant whose map has become smaller since."""
        put_fields(cluster.sandbox, CONTACT, customer_number="0007", email="own@other.example")
        message = {"contact_id": CONTACT}
        worker.send("sync_profile", message, "sync")
        worker.drain("sync")
        kept: dict[str, Any] = {name: {} for name in ("customer_number", "loyalty_tier")}
        use(cluster, monkeypatch, unmapped="ignore", fields={**kept, "notes": {"drop": True}})
        return cluster

    def test_a_dry_run_names_the_fields_that_we_wrote_and_no_longer_send(
        self, smaller: Cluster, capsys: Captured
    ) -> None:
        before = fields(smaller.sandbox)
        (said,) = command(capsys, f"sync {CONTACT} --erase --dry-run")
        assert said == {
            "contact": CONTACT,
            "customer": CONTACT,
            "fields": ["city", "notes"],
            "status": "would be erased",
        }
        assert fields(smaller.sandbox) == before

    def test_they_are_removed_and_what_others_wrote_stays(
        self, smaller: Cluster, capsys: Captured
    ) -> None:
        (said,) = command(capsys, f"sync {CONTACT} --erase --yes")
        assert (said["fields"], said["status"]) == (["city", "notes"], "erased")
        assert fields(smaller.sandbox) == {
            "customer_number": "0007",
            "loyalty_tier": "gold",
            "email": "own@other.example",
        }
        assert command(capsys, f"sync {CONTACT} --erase --yes") == []

    def test_nothing_is_removed_without_a_yes(
        self, smaller: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = fields(smaller.sandbox)
        monkeypatch.setattr("sys.stdin", StringIO("n\n"))
        assert run(["sync", CONTACT, "--erase"]) == 130
        assert fields(smaller.sandbox) == before

    def test_a_value_that_was_erased_is_written_again_once_it_is_mapped_again(
        self, smaller: Cluster, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command(capsys, f"sync {CONTACT} --erase --yes")
        use(smaller, monkeypatch)
        again = CrankedWorker(app=smaller.app())
        again.send("sync_profile", {"contact_id": CONTACT}, "sync")
        (turn,) = again.drain("sync")
        again.app.services.close()
        assert turn.result["detail"]["sent"] == ["city", "notes"]

    def test_a_target_that_removes_no_fields_says_so(
        self, cluster: Cluster, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = {"default": tenant(cluster.sandbox)}
        monkeypatch.setenv("TENANTS_FILE", tenants_file(cluster.folder, **table))
        assert run(["sync", CONTACT, "--erase", "--yes"]) == FAILED
        assert "cxone-guide removes no fields" in capsys.readouterr().err
