"""Operations through Celery's tracer, a real Redis and the sandbox, one step at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.errors import Rejected
from tests.integration.outside import running
from tests.support.cluster import Cluster
from tests.support.configuration import CONFIGURATION
from tests.support.cranked import CrankedWorker
from tests.support.tenants import tenant, tenants_file
from workers.remembering.findings import counted

CONVERSATIONS = "/api/v2/conversations/voice/participants"


def attributes(cluster: Cluster, **values: str) -> dict[str, Any]:
    conversation = cluster.sandbox.ids("conversations", state="active")[0]
    return {"conversation_id": conversation, "attributes": values or {"tier": "gold"}}


def merge(cluster: Cluster, sources: int = 2) -> dict[str, Any]:
    target, *others = cluster.sandbox.ids("profiles")[: sources + 1]
    return {"source_profile_ids": others, "target_profile_id": target}


def calls(cluster: Cluster, **filters: Any) -> list[tuple[str, str]]:
    """Return what was asked of the APIs, without the tokens."""
    return [
        (entry["method"], entry["route"])
        for entry in cluster.sandbox.journal(**filters)
        if entry["route"] != "/oauth/token"
    ]


def _results(cluster: Cluster) -> list[Any]:
    return list(cluster.redis.scan_iter("celery-task-meta-*"))


def records(cranked: CrankedWorker, tenant: str = "default") -> list[dict[str, Any]]:
    return list(cranked.app.services.audit.records(tenant))


def test_a_redelivered_merge_makes_no_second_call(cluster: Cluster, cranked: CrankedWorker) -> None:
    for _ in range(2):
        cranked.send("merge_profiles", merge(cluster), "merge", task_id="m-1")
    first, second = cranked.drain("merge")
    assert first.state == second.state == "SUCCESS"
    assert first.result == second.result
    assert first.result["status"] == "done"
    assert len(cluster.sandbox.effects(kind="profiles.merged")) == 1
    assert calls(cluster).count(("POST", "/api/v2/identity/profiles/merge")) == 1
    assert len(records(cranked)) == 1


def test_the_same_arguments_sent_again_are_a_new_operation_that_finds_nothing_to_do(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    for _ in range(2):
        cranked.send("set_attributes", attributes(cluster), "attributes")
    first, second = cranked.drain("attributes")
    assert (first.result["status"], second.result["status"]) == ("done", "noop")
    assert len(cluster.sandbox.effects(kind="participant.attributes")) == 1


def test_true_then_false_then_true_ends_with_true(cluster: Cluster, cranked: CrankedWorker) -> None:
    for value in ("true", "false", "true"):
        cranked.send("set_attributes", attributes(cluster, vip=value), "attributes")
    turns = cranked.drain("attributes")
    assert [turn.result["status"] for turn in turns] == ["done", "done", "done"]
    participant = turns[-1].result["detail"]["participant_id"]
    conversation = attributes(cluster)["conversation_id"]
    stored = cluster.sandbox.get("conversations", conversation)["participants"]
    found = next(entry for entry in stored if entry["id"] == participant)
    assert found["participantAttributes"]["vip"] == "true"


def test_an_older_message_does_not_overwrite_a_newer_value(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    for moment, value in (("2026-05-02T10:00:01Z", "new"), ("2026-05-02T10:00:00Z", "old")):
        message = {**attributes(cluster, step=value), "occurred_at": moment}
        cranked.send("set_attributes", message, "attributes")
    newer, older = cranked.drain("attributes")
    assert newer.result["detail"]["confirmed"] == ["step"]
    assert older.result["status"] == "noop"
    assert older.result["detail"]["superseded"] == ["step"]


def test_an_operation_id_with_other_arguments_is_refused(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    for value in ("gold", "silver"):
        message = {**attributes(cluster, tier=value), "operation_id": "same"}
        cranked.send("set_attributes", message, "attributes")
    first, second = cranked.drain("attributes")
    assert first.state == "SUCCESS"
    assert second.state == "FAILURE"
    assert "operation_id: belongs to an operation with other arguments" in str(second.result)
    assert len(cluster.sandbox.effects()) == 1


def test_the_sync_follows_the_merge_for_the_surviving_profile_once(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    message = {**merge(cluster), "operation_id": "ms-1"}
    for _ in range(2):
        cranked.send("merge_and_sync", message, "merge")
    cranked.drain("merge", "sync")
    effects = cluster.sandbox.effects()
    assert [effect["kind"] for effect in effects] == ["profiles.merged", "customer.attributes"]
    assert effects[1]["subject"] == message["target_profile_id"]
    assert [record["task"] for record in records(cranked)] == ["merge_and_sync", "sync_profile"]
    assert {record["correlation_id"] for record in records(cranked)} == {"ms-1"}


def test_a_hook_is_told_of_a_merge_whose_answer_was_lost(cluster: Cluster, tmp_path: Path) -> None:
    merged = "/api/v2/identity/profiles/merge"
    cluster.sandbox.fault(route=merged, kind="reset_after")
    with running() as crm:
        table = tenant(cluster.sandbox, hooks={"merged": [f"{crm.url}/merged"]})
        file = tenants_file(tmp_path, default=table)
        app = replace(cluster, environment={"TENANTS_FILE": file}).app()
        cranked = CrankedWorker(app=app)
        message = merge(cluster, sources=1)
        cranked.send("merge_profiles", message, "merge", task_id="m-1")
        lost, found = cranked.drain("merge")
        audited = records(cranked)
        app.services.close()
    assert (lost.state, found.result["status"]) == ("RETRY", "done")
    assert calls(cluster).count(("POST", merged)) == 1
    (told,) = crm.requests
    assert json.loads(told.body)["operation_id"] == "m-1"
    assert json.loads(told.body)["profile_id"] == message["target_profile_id"]
    assert [record.get("hooks") for record in audited] == [None, ["200"]]


def test_nothing_is_synced_after_a_merge_that_was_refused(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    message = {**merge(cluster), "source_profile_ids": ["no-such-profile"]}
    cranked.send("merge_and_sync", message, "merge")
    (turn,) = cranked.drain("merge", "sync")
    assert turn.state == "FAILURE"
    assert "no-such-profile" in str(turn.result)
    assert cluster.sandbox.effects() == []


def test_a_429_pauses_the_system_and_uses_up_no_try(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.fault(
        system="genesys",
        route=CONVERSATIONS,
        kind="status",
        status=429,
        headers={"Retry-After": "7"},
    )
    cranked.send("set_attributes", attributes(cluster), "attributes")
    cranked.crank("attributes")
    assert 5_000 < int(cluster.redis.pttl("gw:pause:default:genesys")) <= 7_000
    cranked.send("set_attributes", attributes(cluster, step="2"), "attributes")
    assert cranked.crank("attributes") is None
    assert len(calls(cluster)) == 1
    turns = cranked.drain("attributes")
    assert {turn.result["status"] for turn in turns} == {"done"}
    assert sorted(turn.result["attempts"] for turn in turns) == [1, 2]
    operations = [cluster.redis.hgetall(name) for name in cluster.redis.scan_iter("gw:operation:*")]
    assert len(operations) == 2
    assert "tries:" not in str(operations)


def test_the_work_of_another_tenant_goes_on_during_a_pause(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cranked.app.services.runner.connections["default"].pause("cxone", 60, by_server=True)
    cranked.send("set_attributes", attributes(cluster), "attributes")
    (turn,) = cranked.drain("attributes")
    assert turn.result["status"] == "done"


@pytest.mark.parametrize(
    ("queue", "arguments", "reason"),
    [
        ("merge", {"tenant": "acme"}, "tenant: is not a tenant of this installation"),
        ("merge", {"colour": "red"}, "colour: is not a known field"),
        ("merge", {"target_profile_id": "../x"}, "target_profile_id: must be 1 to 128"),
        ("merge", {"source_profile_ids": []}, "source_profile_ids: List should have at least 1"),
    ],
)
def test_a_message_that_can_never_work_is_kept_and_makes_no_call(
    cluster: Cluster, cranked: CrankedWorker, queue: str, arguments: dict[str, Any], reason: str
) -> None:
    cranked.send("merge_profiles", {**merge(cluster), **arguments}, queue)
    turn = cranked.crank(queue)
    assert turn is not None
    assert turn.state == "FAILURE"
    assert reason in str(turn.result)
    (letter,) = cranked.app.services.dead_letters.letters()
    assert (letter.status, letter.queue) == ("rejected", queue)
    assert letter.reason == str(
        turn.result.exception if hasattr(turn.result, "exception") else turn.result
    )
    kept = cranked.app.services.dead_letters.payload(letter.id)
    assert kept == json.loads(json.dumps({**merge(cluster), **arguments}))
    assert cluster.sandbox.journal() == []


def test_a_merge_and_a_sync_that_are_both_retried_happen_once(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    merged = "/api/v2/identity/profiles/merge"
    cluster.sandbox.fault(route=merged, kind="reset_after")
    cluster.sandbox.fault(system="cxone", method="PUT", kind="status", status=503, times=2)
    cranked.send("merge_and_sync", merge(cluster), "merge", task_id="ms-1")
    turns = cranked.drain("merge", "sync")
    assert [turn.state for turn in turns].count("RETRY") == 3
    kinds = [effect["kind"] for effect in cluster.sandbox.effects()]
    assert kinds == ["profiles.merged", "customer.attributes"]
    assert calls(cluster).count(("POST", merged)) == 1


@pytest.mark.parametrize(
    ("task", "queue", "arguments", "reason"),
    [
        ("sync_profile", "sync", {"contact_id": "c-1"}, "has no [sync] target"),
        (
            "deploy_config",
            "deploy",
            {"deployment_id": "d-1", "configuration_id": "c-1", "config": CONFIGURATION},
            "deployment_id: the guide contract deploys to organization_ids",
        ),
    ],
)
def test_what_the_tenant_cannot_do_ends_as_unsupported_without_a_call(
    cluster: Cluster,
    cranked: CrankedWorker,
    task: str,
    queue: str,
    arguments: dict[str, Any],
    reason: str,
) -> None:
    connections: Any = cranked.app.services.runner.connections
    without = connections["default"].tenant.model_copy(update={"sync": None})
    connections["default"] = replace(connections["default"], tenant=without)
    cranked.send(task, arguments, queue)
    (turn,) = cranked.drain(queue)
    assert turn.state == "FAILURE"
    (letter,) = cranked.app.services.dead_letters.letters()
    assert letter.status == "unsupported"
    assert reason in letter.reason
    assert cluster.sandbox.journal() == []


def test_a_fault_of_ours_is_tried_three_times_and_told_without_its_text(
    cluster: Cluster, cranked: CrankedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("jane@example.com")

    monkeypatch.setattr("tasks.attributes.choose_participant", broken)
    cranked.send("set_attributes", attributes(cluster), "attributes")
    turns = cranked.drain("attributes")
    assert [turn.state for turn in turns] == ["RETRY", "RETRY", "FAILURE"]
    (record,) = records(cranked)
    assert record["status"] == "failed"
    assert record["reason"].startswith("fault: KeyError in ")
    assert "jane" not in str(record)


def test_a_redelivery_of_a_message_that_failed_answers_its_failure(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.fault(route=CONVERSATIONS, kind="status", status=403)
    for _ in range(2):
        cranked.send("set_attributes", attributes(cluster), "attributes", task_id="a-1")
    first, second = cranked.drain("attributes")
    assert [first.state, second.state] == ["FAILURE", "FAILURE"]
    assert str(first.result.exception) == str(second.result.exception)
    assert len(calls(cluster)) == len(records(cranked)) == 1


def test_what_a_redaction_has_found_is_counted_once_by_kind(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    texts = ["ann@example.com", "bob@example.com and +44 20 7946 0958"]
    messages = [{"id": f"m-{at}", "text": text} for at, text in enumerate(texts)]
    chat = {"state": "completed", "messages": messages}
    cluster.sandbox.put("interactions", "a-chat", chat)
    for _ in range(2):
        cranked.send("redact_interaction", {"interaction_id": "a-chat"}, "redact", task_id="r-1")
    cranked.drain("redact")
    assert counted(cranked.app.services.store) == {"default": {"email": 2, "phone": 1}}


def test_a_page_of_a_sweep_that_is_sent_again_with_other_counts_is_the_same_page(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cranked.send("redact_completed", {"page_size": 1, "operation_id": "s"}, "sweep")
    cranked.crank("sweep")
    first = cranked.crank("sweep")
    assert first is not None
    assert first.result["operation_id"] == "s:page-2"
    again = {
        "operation_id": "s:page-2",
        "until": "2025-01-15T06:00:00Z",
        "page": 2,
        "cursor": "another",
        "found": 7,
    }
    cranked.send("sweep_page", again, "sweep", task_id="again")
    turns = [cranked.crank("sweep"), cranked.crank("sweep")]
    assert {turn.state for turn in turns if turn} == {"SUCCESS"}
    assert first.result in [turn.result for turn in turns if turn]
    assert list(cranked.app.services.dead_letters.letters()) == []


def test_another_message_with_the_id_of_a_failed_operation_begins_anew(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    cluster.sandbox.fault(route=CONVERSATIONS, kind="status", status=403)
    for _ in range(2):
        message = {**attributes(cluster), "operation_id": "a-1"}
        cranked.send("set_attributes", message, "attributes")
    first, second = cranked.drain("attributes")
    assert [first.state, second.state] == ["FAILURE", "SUCCESS"]


def test_an_operation_that_met_a_broken_redis_half_way_is_free_when_its_message_comes_back(
    cluster: Cluster, cranked: CrankedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RedisConnectionError

    cranked.send("set_attributes", attributes(cluster), "attributes")
    with monkeypatch.context() as broken_redis:
        broken_redis.setattr("workers.remembering.newest.NewestInRedis.written", broken)
        first = cranked.crank("attributes")
    assert first is not None
    assert first.state == "RETRY"
    (second,) = cranked.drain("attributes")
    assert second.state == "SUCCESS"


def test_a_run_whose_operation_was_taken_over_keeps_no_record_of_its_failure(
    cluster: Cluster, cranked: CrankedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_: Any, **__: Any) -> None:
        cluster.redis.hset("gw:operation:default:a-1", "owner", "another run")
        raise Rejected("never to be told")

    cranked.send("set_attributes", attributes(cluster), "attributes", task_id="a-1")
    with monkeypatch.context() as slow:
        slow.setattr("tasks.attributes.choose_participant", overtaken)
        turn = cranked.crank("attributes")
    assert turn is not None
    assert turn.state == "RETRY"
    assert "another run has taken this operation over" in str(turn.result)
    assert cluster.redis.hget("gw:operation:default:a-1", "owner") == b"another run"
    assert not list(cranked.app.services.dead_letters.letters())
    assert not records(cranked)


def test_a_fault_outside_of_any_operation_keeps_the_message_and_shows_no_text(
    cluster: Cluster,
    cranked: CrankedWorker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise UnicodeDecodeError("utf-8", b"canary", 0, 1, "canary")

    cranked.send("set_attributes", attributes(cluster), "attributes")
    with monkeypatch.context() as broken_worker:
        broken_worker.setattr("workers.operation.Runner.run", broken)
        first = cranked.crank("attributes")
    assert first is not None
    assert first.state == "RETRY"
    assert "canary" not in capsys.readouterr().out
    assert not any(b"canary" in (cluster.redis.get(name) or b"") for name in _results(cluster))
    (second,) = cranked.drain("attributes")
    assert second.result["status"] == "done"


def test_a_refused_message_on_the_default_queue_is_filed_under_the_tenant_it_names(
    cluster: Cluster, cranked: CrankedWorker
) -> None:
    connections = cranked.app.services.runner.connections
    connections["acme"] = connections["default"]  # type: ignore[index]
    cranked.send("merge_profiles", {"tenant": "acme", "colour": "red"}, "celery")
    cranked.crank("celery")
    (letter,) = cranked.app.services.dead_letters.letters()
    assert letter.tenant == "acme"
    assert len(records(cranked, "acme")) == 1


def test_eight_large_merges_end_though_the_budget_holds_four(cluster: Cluster) -> None:
    lean = replace(cluster, environment={"GENESYS_REQUESTS_PER_MINUTE": "100"})
    app = lean.app()
    cranked = CrankedWorker(app=app)
    profiles = cluster.sandbox.ids("profiles")[:88]
    for number in range(8):
        target, *sources = profiles[number * 11 : number * 11 + 11]
        message = {"source_profile_ids": sources, "target_profile_id": target}
        cranked.send("merge_profiles", message, "merge")
    first = [cranked.crank("merge") for _ in range(8)]
    assert [turn.state for turn in first if turn].count("SUCCESS") == 4
    assert [turn.state for turn in cranked.drain("merge")] == ["SUCCESS"] * 4
    assert len(calls(cluster)) == 8 * 23
    app.services.close()


def test_a_message_that_meets_a_broken_redis_comes_back(
    cluster: Cluster, cranked: CrankedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RedisConnectionError

    with monkeypatch.context() as broken_redis:
        broken_redis.setattr("workers.remembering.ledger.Ledger.claim", broken)
        cranked.send("set_attributes", attributes(cluster), "attributes")
        first = cranked.crank("attributes")
    assert first is not None
    assert first.state == "RETRY"
    (second,) = cranked.drain("attributes")
    assert 3 < second.waited <= 5
    assert second.result["status"] == "done"
