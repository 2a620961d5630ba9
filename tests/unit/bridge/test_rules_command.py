"""`bridge test-rules` shows what rules would make of events, and why it would be nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from tasks.apis.moments import iso
from tasks.errors import RulesError, SettingsError
from workers.bridge.reading.moments import milliseconds
from workers.cli import bridge_rules

app = typer.Typer()
app.command("test-rules")(bridge_rules.test_rules)

NOW = datetime.now(UTC)
ID = "4f0b2c7c-7f0e-4c7f-9f0a-0c5b8f1f2a3b"


def notification(topic: str, body: dict[str, Any], at: datetime = NOW) -> dict[str, Any]:
    return {"topicName": topic, "version": "2", "eventBody": body, "timestamp": iso(at)}


def end(at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    body = {"eventTime": milliseconds(at), "conversationId": ID, "mediaType": "MESSAGE", **changes}
    return notification(f"v2.detail.events.conversation.{ID}.customer.end", body, at)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def run(events: Path, *told: Any, options: tuple[str, ...] = ()) -> Result:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in told]
    events.write_text("\n".join(lines), encoding="utf-8")
    return CliRunner().invoke(app, ["--event", str(events), *options])


def facts(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_shipped_rules_show_the_message_of_an_event(events: Path) -> None:
    result = run(events, end(), options=("--tenant", "acme"))
    assert result.exit_code == 0
    for told in (
        f"v2.detail.events.conversation.{ID}.customer.end",
        "customer-left",
        "redact_interaction on redact.acme",
        f'interaction_id = "{ID}"',
        "operation_id = event-",
    ):
        assert told in result.stdout


def test_the_facts_are_there_for_programs(events: Path) -> None:
    (shown,) = facts(run(events, end(), options=("--json",)))
    operation = shown.pop("operation_id")
    assert operation.startswith("event-")
    assert shown == {
        "line": 1,
        "topic": f"v2.detail.events.conversation.{ID}.customer.end",
        "rule": "customer-left",
        "task": "redact_interaction",
        "queue": "redact",
        "arguments": {"interaction_id": ID},
        "enqueued": True,
        "reason": None,
    }


def test_a_file_of_rules_takes_the_place_of_the_shipped_ones(events: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        """
        [[rule]]
        name = "tiers"
        topic = "v2.detail.events.conversation.{id}.attributes"
        task = "sync_profile"
        subject = "conversationId"
        occurrence = { values = "attributes" }
        backfill = "nothing"
        arguments.contact_id = "conversationExternalContactIds[0]"
        arguments.attributes = "attributes.{tier: tier}"
        """,
        encoding="utf-8",
    )
    body = {
        "conversationId": ID,
        "attributes": {"tier": "gold", "secret": "hidden"},
        "conversationExternalContactIds": ["c-1"],
    }
    told = notification(f"v2.detail.events.conversation.{ID}.attributes", body)
    result = run(events, told, end(), options=(str(rules), "--json"))
    synced, ended = facts(result)
    assert synced["arguments"] == {"contact_id": "c-1", "attributes": {"tier": "gold"}}
    assert (ended["enqueued"], ended["reason"]) == (False, "no rule is for this topic")
    assert "hidden" not in result.stdout


def test_it_says_why_nothing_would_be_enqueued(events: Path) -> None:
    old = datetime(2022, 4, 6, tzinfo=UTC)
    contact = notification("v2.externalcontacts.contacts.c-1", {"id": "c-1"})
    told = (end(mediaType="VOICE"), end(conversationId=5), contact, end(old))
    shown = facts(run(events, *told, options=("--json",)))
    assert [(each["line"], each["rule"], each["reason"]) for each in shown] == [
        (1, "customer-left", "its condition does not hold"),
        (2, "customer-left", "invalid: interaction_id Input should be a valid string"),
        (3, "contacts-merged", "its condition does not hold"),
        (3, "guest-identified", "the rule is off"),
        (4, "customer-left", "too old"),
    ]
    assert not any(each["enqueued"] for each in shown)


def test_a_message_that_would_come_too_late_is_shown_all_the_same(events: Path) -> None:
    result = run(events, end(datetime(2022, 4, 6, tzinfo=UTC)))
    assert "nothing: too old; it would be" in result.stdout
    assert f'interaction_id = "{ID}"' in result.stdout


def test_one_document_may_take_several_lines(events: Path) -> None:
    told = end(communications=[{"id": "a"}])
    whole_line_inside = json.dumps(told).replace('[{"id": "a"}]', '[\n{"id": "a"}\n]')
    for text in (
        json.dumps(told, indent=2),
        f"\n\n{whole_line_inside}",
        f"\ufeff{json.dumps(told)}",
    ):
        (shown,) = facts(run(events, text, options=("--json",)))
        assert shown["enqueued"]


def test_blank_lines_are_no_events(events: Path) -> None:
    shown = facts(run(events, "", end(), "", end(), "  ", options=("--json",)))
    assert [each["line"] for each in shown] == [2, 4]


def test_an_unreadable_event_is_told_with_its_line_and_the_exit_code_is_1(events: Path) -> None:
    result = run(events, end(), "private", end(), '{"private": 1}', options=("--json",))
    assert result.exit_code == 1
    assert [each["line"] for each in facts(result)] == [1, 3]
    assert result.stderr.splitlines() == [
        "genesys-workers: line 2: unreadable: not JSON",
        "genesys-workers: line 4: unreadable: no topic",
    ]


def test_a_broken_document_over_several_lines_is_one_unreadable_event(events: Path) -> None:
    result = run(events, json.dumps(end(), indent=2)[:-1])
    assert result.exit_code == 1
    assert result.stderr == "genesys-workers: line 1: unreadable: not JSON\n"
    assert result.stdout == ""


def test_no_events_are_nothing_to_show(events: Path) -> None:
    result = run(events, "")
    assert (result.exit_code, result.output) == (0, "")


def test_events_may_come_from_standard_input() -> None:
    result = CliRunner().invoke(app, ["--event", "-", "--json"], input=json.dumps(end()))
    (shown,) = facts(result)
    assert shown["rule"] == "customer-left"


def test_a_terminal_obeys_nothing_that_an_event_says(events: Path) -> None:
    told = notification(
        f"v2.detail.events.conversation.{ID}.attributes",
        {"conversationExternalContactIds": ["\u001b[2J"], "conversationId": "\u001b[2J"},
    )
    result = run(events, told)
    assert "\u001b" not in result.output
    assert "missing: subject" in result.stdout


def test_wrong_rules_and_missing_files_are_said_like_any_wrong_setting(
    events: Path, tmp_path: Path
) -> None:
    missing = run(events, end(), options=(str(tmp_path / "rules.toml"),))
    assert isinstance(missing.exception, RulesError)
    no_events = CliRunner().invoke(app, ["--event", str(tmp_path / "none.json")])
    assert isinstance(no_events.exception, SettingsError)
