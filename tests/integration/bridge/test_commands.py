"""The commands of the bridge: it says how it is, ends in good order, and replays files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.support.bridges import BridgeSite
from tests.support.waiting import wait_until
from workers.bridge.watching.reports import BridgeReport, Reports
from workers.cli.main import FAILED, MISUSED, run
from workers.sandbox.testing import SandboxHandle
from workers.store import Store

END = "v2.detail.events.conversation.c-1.customer.end"


@pytest.fixture
def site(redis: Redis, redis_url: str, sandbox: SandboxHandle, tmp_path: Path) -> BridgeSite:
    bridge = {"queues": [sandbox.queue_id()], "secret_env": "BRIDGE_TEST_SECRET"}
    return BridgeSite(redis_url=redis_url, sandbox=sandbox, folder=tmp_path, bridge=bridge)


def heard(redis_url: str) -> tuple[BridgeReport, ...]:
    store = Store.connect(redis_url)
    with store.redis:
        return Reports(store=store).heard(store.now())


def apply(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def left(conversation_id: str) -> str:
    """Return the line of a customer who has just left a chat."""
    body: dict[str, Any] = {
        "eventTime": round(time.time() * 1000),
        "conversationId": conversation_id,
        "mediaType": "MESSAGE",
    }
    topic = END.replace("c-1", conversation_id)
    return json.dumps({"topicName": topic, "version": "2", "eventBody": body})


def test_a_bridge_tells_status_that_it_leads_and_withdraws_at_its_end(
    site: BridgeSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(monkeypatch, site.environment())
    with site.running() as bridge:
        bridge.says("bridge.connected")
        wait_until(lambda: any(e.connected_since for e in heard(site.redis_url)), 60, "a report")
        assert run(["status", "--json"]) == 0
        (shown,) = json.loads(capsys.readouterr().out)["bridges"]
        assert shown["leads"]
        assert (shown["channels"], shown["topics"], shown["rejected"]) == (1, 1, 0)

        assert bridge.end() == 0

    assert heard(site.redis_url) == ()


def test_its_help_teaches_how_it_is_reached_and_what_else_it_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["bridge", "--help"]) == 0
    told = capsys.readouterr().out
    for each in ("POST /events/NAME", "X-Bridge-Secret", "/health", "reconcile", "test-rules"):
        assert each in told


def test_without_a_tenant_that_has_one_no_bridge_starts(
    site: BridgeSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(monkeypatch, {**site.environment(), "TENANTS_FILE": _without_bridge(site)})

    assert run(["bridge"]) == MISUSED
    assert "no tenant has a table [tenants.NAME.bridge]" in capsys.readouterr().err


def _without_bridge(site: BridgeSite) -> str:
    path = site.folder / "others.toml"
    lines = Path(site.environment()["TENANTS_FILE"]).read_text("utf-8")
    path.write_text(lines.partition("[tenants.default.bridge]")[0], "utf-8")
    return str(path)


def test_a_file_that_is_replayed_again_makes_no_second_message(
    site: BridgeSite,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apply(monkeypatch, site.environment())
    events = site.folder / "events.jsonl"
    events.write_text(f"{left('c-1')}\n{left('c-2')}\n", "utf-8")

    for _ in range(2):
        assert run(["bridge", "replay", str(events)]) == 0

    told = [sorted(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert sorted(["duplicates", "2"]) in told
    assert site.sent(redis) == {
        ("redact_interaction", "c-1"): 1,
        ("redact_interaction", "c-2"): 1,
    }


def test_a_line_that_is_no_event_is_named_and_the_others_are_taken(
    site: BridgeSite,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apply(monkeypatch, site.environment())
    events = site.folder / "events.jsonl"
    events.write_text(f"jane@example.com\n{left('c-1')}\n", "utf-8")

    assert run(["bridge", "replay", str(events)]) == FAILED
    said = capsys.readouterr().err
    assert "line 1: not JSON" in said
    assert "jane" not in said
    assert site.sent(redis).total() == 1


def test_a_file_that_is_not_there_is_said_in_one_line(
    site: BridgeSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(monkeypatch, site.environment())

    assert run(["bridge", "replay", str(site.folder / "none.jsonl")]) == MISUSED
    assert "No such file" in capsys.readouterr().err
