"""`genesys-workers bridge reconcile`: what it shows, sends, and leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from redis import Redis
from rich.console import Console

from tests.support.backfilling import Site, now, site
from tests.support.chat_conversations import conversation
from tests.support.cluster import Cluster
from tests.support.tenants import platform_tenant
from workers.cli import bridge_reconcile
from workers.cli.main import FAILED, MISUSED, run
from workers.sandbox.testing import SandboxHandle

MINUTE, HOUR, DAY = (timedelta(seconds=each) for each in (60, 3_600, 86_400))

Captured = pytest.CaptureFixture[str]
Command = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def bridged(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that this process's environment leads to."""
    monkeypatch.setenv("BRIDGE_TEST_SECRET", "a secret of some length")
    bridge = {"secret_env": "BRIDGE_TEST_SECRET"}
    table = platform_tenant(cluster.sandbox, sync=None, requests_per_minute=300, bridge=bridge)
    made = site(cluster, table)
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    yield made
    made.services.close()


@pytest.fixture
def command(bridged: Site, capsys: Captured) -> Command:
    """Runs a command that ends with `code`, and returns the JSON lines that it printed."""

    def command(line: str, code: int = 0) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert run(line.split()) == code, capsys.readouterr().err
        return [json.loads(each) for each in capsys.readouterr().out.splitlines()]

    return command


def happen(sandbox: SandboxHandle, at: datetime, count: int = 2) -> None:
    """Let chats end half an hour ago, and another one have a customer who is known."""
    ended = {
        f"e{number}": conversation(at - DAY, ended=at - 30 * MINUTE) for number in range(count)
    }
    known = conversation(at - DAY, contact="contact-1", attributes={"mail": "ann@example.com"})
    sandbox.put_many("platformConversations", {**ended, "known": known})


def remembered(redis: Redis) -> dict[bytes, Any]:
    """Return what Redis holds besides tokens and budgets."""
    keys: Any = redis.keys("*")
    ours = [key for key in keys if not key.startswith((b"gw:budget:", b"gw:token"))]
    return {key: redis.dump(key) for key in ours}


def test_a_time_is_made_up_for_once(
    bridged: Site, sandbox: SandboxHandle, command: Command
) -> None:
    happen(sandbox, now())
    figures = {"events": 5, "dropped": 0, "unmatched": 0, "status": "done"}
    assert command("bridge reconcile --since 1h --until 10m") == [
        {**figures, "enqueued": 3, "known": 2}
    ]
    assert bridged.redacted() == {"e0": 1, "e1": 1}
    assert [each["contact_id"] for each in bridged.messages("sync")] == ["contact-1"]
    assert command("bridge reconcile --since 1h --until 10m")[0]["enqueued"] == 0
    assert bridged.redacted() == {"e0": 1, "e1": 1}


def test_moments_may_be_dates(bridged: Site, sandbox: SandboxHandle, command: Command) -> None:
    at = now()
    happen(sandbox, at)
    since, until = (each.isoformat() for each in (at - HOUR, at - 10 * MINUTE))
    assert command(f"bridge reconcile --since {since} --until {until}")[0]["enqueued"] == 3


def test_a_dry_run_shows_what_would_be_sent_and_changes_nothing(
    bridged: Site, sandbox: SandboxHandle, redis: Redis, command: Command
) -> None:
    at = now()
    happen(sandbox, at, count=3)
    command(f"bridge reconcile --since {(at - HOUR).isoformat()} --until {at.isoformat()}")
    happen(sandbox, at, count=5)
    before = remembered(redis)
    *messages, figures = command("bridge reconcile --since 1h --dry-run")
    assert remembered(redis) == before
    assert {each["arguments"]["interaction_id"] for each in messages} == {"e3", "e4"}
    (first, _) = messages
    assert first == {
        "occurred": (at - 30 * MINUTE).isoformat(timespec="milliseconds"),
        "rule": "customer-left",
        "task": "redact_interaction",
        "arguments": {"interaction_id": first["arguments"]["interaction_id"]},
        "status": "would be enqueued",
    }
    assert (figures["enqueued"], figures["status"]) == (2, "dry run")
    command("bridge reconcile --since 1h")
    assert bridged.redacted() == dict.fromkeys(("e0", "e1", "e2", "e3", "e4"), 1)


def test_no_value_is_shown_that_is_no_id(
    bridged: Site, sandbox: SandboxHandle, command: Command
) -> None:
    happen(sandbox, now(), count=0)
    message, _ = command("bridge reconcile --since 1h --dry-run")
    assert message["arguments"] == {"contact_id": "contact-1", "occurred_at": "***"}


def test_people_get_tables(
    bridged: Site, sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(sandbox, now())
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, no_color=True, width=100)
    monkeypatch.setattr(bridge_reconcile, "out", console)
    assert run(["bridge", "reconcile", "--since", "1h", "--dry-run"]) == 0
    dry = shown.getvalue()
    assert "interaction_id = e0" in dry
    assert "messages that would be enqueued" in dry
    assert run(["bridge", "reconcile", "--since", "1h"]) == 0
    rows = [line.split() for line in shown.getvalue().removeprefix(dry).splitlines()]
    assert ["messages", "enqueued", "3"] in rows
    assert ["by", "customer-left", "2"] in rows
    assert ["by", "attributes-changed", "1"] in rows


def test_a_missing_permission_is_one_line_and_the_exit_code_1(
    bridged: Site, sandbox: SandboxHandle, capsys: Captured
) -> None:
    sandbox.put_client("platform-client", permissions=["analytics:conversationDetail:view"])
    happen(sandbox, now())
    assert run(["bridge", "reconcile", "--since", "1h"]) == FAILED
    told = capsys.readouterr()
    assert told.out == ""
    assert "conversation:communication:view" in told.err
    assert len(told.err.splitlines()) == 1
    # What was found before is there.
    assert bridged.redacted() == {"e0": 1, "e1": 1}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ("", "--since"),
        ("--since yesterday", "neither a time ago"),
        ("--since 1h --until 2h", "must be earlier than --until"),
        ("--since 1h --tenant nobody", "unknown; the tenants are default"),
    ],
)
def test_wrong_usage_is_refused(bridged: Site, capsys: Captured, options: str, rule: str) -> None:
    assert run(f"bridge reconcile {options}".split()) == MISUSED
    assert rule in capsys.readouterr().err


def test_a_tenant_without_a_bridge_is_refused(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    made = site(cluster, platform_tenant(cluster.sandbox, sync=None))
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    assert run(["bridge", "reconcile", "--since", "1h"]) == MISUSED
    assert "tenants.default.bridge: is required" in capsys.readouterr().err
    made.services.close()
