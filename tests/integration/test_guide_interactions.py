"""Redaction and sweeps by the `guide` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tasks.apis.genesys_guide import GenesysGuide
from tasks.errors import NotFound, Postponed
from tasks.messages import RedactCompleted, RedactInteraction, SweepPage
from tasks.operations import Outcome
from tasks.pii.rules import RedactionRules
from tasks.redact import redact_interaction
from tasks.sweep import redact_completed, sweep_page
from tests.support.guide import connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def genesys(sandbox: SandboxHandle) -> GenesysGuide:
    return connect(sandbox)


@pytest.fixture
def chat(sandbox: SandboxHandle) -> str:
    """A completed chat of three messages, one with personal data."""
    texts = ["Hello 4711", "I am ann@example.com", "Thanks"]
    messages = [
        {"id": f"m{at}", "from": "a", "timestamp": None, "n": {"x": [1.50]}, "text": text}
        for at, text in enumerate(texts)
    ]
    sandbox.put("interactions", "chat-1", {"state": "completed", "messages": messages})
    return "chat-1"


def redact(genesys: GenesysGuide, interaction_id: str) -> Outcome:
    message = RedactInteraction(interaction_id=interaction_id)
    return redact_interaction(message, genesys, RedactionRules())


def test_only_texts_change_and_every_field_is_kept(
    genesys: GenesysGuide, sandbox: SandboxHandle, chat: str
) -> None:
    before = sandbox.get("interactions", chat)["messages"]
    outcome = redact(genesys, chat)
    after = sandbox.get("interactions", chat)["messages"]
    assert after == [before[0], {**before[1], "text": "I am [REDACTED]"}, before[2]]
    assert outcome.detail == {
        "interaction_id": chat,
        "messages": 3,
        "messages_changed": 1,
        "findings": {"email": 1},
        "verified": True,
    }


def test_a_redacted_interaction_is_not_written_again(
    genesys: GenesysGuide, sandbox: SandboxHandle, chat: str
) -> None:
    redact(genesys, chat)
    assert redact(genesys, chat).status == "noop"
    assert len(sandbox.journal(method="PATCH")) == 1


@pytest.mark.parametrize("status", [404, 405])
def test_the_query_serves_where_there_is_no_get(
    status: int, genesys: GenesysGuide, sandbox: SandboxHandle, chat: str
) -> None:
    sandbox.options(interaction_get=status)
    assert redact(genesys, chat).status == "done"
    with pytest.raises(NotFound):
        redact(genesys, "unknown")


def test_a_live_interaction_is_redacted_once_it_has_ended(
    genesys: GenesysGuide, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    live = sandbox.ids("interactions", state="active")[0]
    with pytest.raises(Postponed) as postponed:
        redact(genesys, live)
    assert (postponed.value.wait, postponed.value.deadline) == (60.0, 86_400.0)
    clock.advance(60)
    redact(genesys, live)
    dropped = [each["detail"]["messages_dropped"] for each in sandbox.effects(subject=live)]
    assert sum(dropped) == 0


def test_a_message_that_arrives_between_the_reads_is_kept(
    genesys: GenesysGuide, sandbox: SandboxHandle, chat: str
) -> None:
    late = [{"id": "m9", "text": "or bob@example.com"}]
    path = f"/api/v2/interactions/{chat}"
    sandbox.fault(kind="foreign_write", method="GET", path=path, changes={"messages": late})
    outcome = redact(genesys, chat)
    texts = [each["text"] for each in sandbox.get("interactions", chat)["messages"]]
    assert texts == ["Hello 4711", "I am [REDACTED]", "Thanks", "or [REDACTED]"]
    assert outcome.detail["findings"] == {"email": 2}


def test_a_sweep_reads_every_page_once_and_sends_every_completed_interaction(
    genesys: GenesysGuide, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    completed = set(sandbox.ids("interactions", type="webmessaging", state="completed"))
    start = RedactCompleted(page_size=70, operation_id="s1")
    outcome = redact_completed(start, genesys, datetime.fromtimestamp(clock(), UTC))
    names = [each.id_after("s1") for each in outcome.follow_ups]
    while outcome.status == "accepted":
        own_id = names.pop()
        page = outcome.follow_ups[-1].message.model_copy(update={"operation_id": own_id})
        assert isinstance(page, SweepPage)
        outcome = sweep_page(page, genesys)
        names += [each.id_after(own_id) for each in outcome.follow_ups]
    assert sorted(names) == sorted(f"s1:{each}" for each in completed)
    assert (outcome.status, outcome.detail["found"]) == ("done", len(completed))
    assert len(sandbox.journal(path="/api/v2/interactions/query")) == -(-len(completed) // 70)


def test_a_sweep_keeps_to_its_time(genesys: GenesysGuide, sandbox: SandboxHandle) -> None:
    starts = sorted(
        sandbox.get("interactions", each)["startTime"]
        for each in sandbox.ids("interactions", state="completed")[:20]
    )
    since, until = (datetime.fromisoformat(starts[at]) for at in (5, 10))
    message = RedactCompleted(since=since, until=until)
    outcome = redact_completed(message, genesys, until)
    sent = [each.message for each in outcome.follow_ups]
    assert sent
    for each in sent:
        assert isinstance(each, RedactInteraction)
        started = datetime.fromisoformat(
            sandbox.get("interactions", each.interaction_id)["startTime"]
        )
        assert since <= started < until
