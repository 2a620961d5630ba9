"""Redaction and sweeps by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.interactions import PlatformInteractions
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.errors import NotFound, OutcomeUnknown
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

CHAT = "chat-1"
STARTED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=datetime(2026, 11, 21, tzinfo=UTC).timestamp())


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


@pytest.fixture
def genesys(http: Http) -> PlatformInteractions:
    return PlatformInteractions(http=http, settings=PlatformSettings())


def told(at: int) -> dict[str, Any]:
    """The message number `at`; ids sort in another order than times."""
    message_id, timestamp = f"m{9_999 - at}", f"2026-11-02T09:{30 + at // 60}:{at % 60:02}.000Z"
    return {
        "id": message_id,
        "timestamp": timestamp,
        "status": "received",
        "direction": "inbound",
        "textBody": f"text {at}",
        "normalizedMessage": {"type": "Text", "text": f"text {at}"},
    }


def put_chat(sandbox: SandboxHandle, messages: int, *, state: str = "disconnected") -> None:
    """A conversation of a guest and an agent who take turns."""
    transcript = [told(at) for at in range(messages)]
    sandbox.put("messageTranscripts", CHAT, {"messages": transcript})
    sandbox.put("platformConversations", CHAT, conversation(transcript, state))


def conversation(transcript: list[dict[str, Any]], state: str) -> dict[str, Any]:
    details = [{"messageId": m["id"], "messageTime": m["timestamp"]} for m in transcript]
    started = STARTED.isoformat()
    sides = (("customer", details[::2], "disconnected"), ("agent", details[1::2], state))
    return {
        "startTime": started,
        "participants": [
            {
                "id": purpose,
                "purpose": purpose,
                "startTime": started,
                "attributes": {},
                "externalContactId": f"contact-of-{purpose}",
                "messages": [{"id": "c", "state": at, "type": "webmessaging", "messages": sent}],
            }
            for purpose, sent, at in sides
        ],
    }


def test_messages_come_in_the_order_in_which_they_were_written(
    genesys: PlatformInteractions, sandbox: SandboxHandle
) -> None:
    put_chat(sandbox, 7)
    interaction = genesys.read_interaction(CHAT)
    assert (interaction.id, interaction.state) == (CHAT, "completed")
    assert list(interaction.messages) == [told(at) for at in range(7)]


def test_a_long_conversation_is_read_by_a_thousand(
    genesys: PlatformInteractions, sandbox: SandboxHandle
) -> None:
    put_chat(sandbox, 1_001)
    messages = genesys.read_interaction(CHAT).messages
    assert [each["textBody"] for each in messages] == [f"text {at}" for at in range(1_001)]
    assert len(sandbox.journal(method="POST", system="platform", status=200)) == 3  # with the token


def test_a_live_conversation_is_told_and_its_messages_are_not_read(
    genesys: PlatformInteractions, sandbox: SandboxHandle
) -> None:
    put_chat(sandbox, 3, state="connected")
    interaction = genesys.read_interaction(CHAT)
    assert (interaction.state, list(interaction.messages)) == ("live", [])


def test_a_message_that_the_api_leaves_out_is_no_complete_transcript(
    genesys: PlatformInteractions, sandbox: SandboxHandle
) -> None:
    put_chat(sandbox, 3)
    sandbox.put("messageTranscripts", CHAT, {"messages": [told(0), told(2)]})
    with pytest.raises(OutcomeUnknown, match="1 of the messages asked for are missing"):
        genesys.read_interaction(CHAT)


def test_a_conversation_that_is_not_there_is_not_found(genesys: PlatformInteractions) -> None:
    with pytest.raises(NotFound, match=r"conversation\.error\.conversation\.not\.found"):
        genesys.read_interaction("nothing")


@pytest.mark.parametrize(
    "switched_on",
    [{"archive_folder": Path("/srv")}, {"delete_recordings": True}, {"gdpr_requests": True}],
)
def test_redaction_is_off_until_something_is_done_with_it(
    http: Http, switched_on: dict[str, Any]
) -> None:
    off = GenesysPlatform(http=http, settings=PlatformSettings())
    on = GenesysPlatform(http=http, settings=PlatformSettings(**switched_on))
    assert "archive_folder, delete_recordings or gdpr_requests" in off.capabilities.redaction_off
    assert not on.capabilities.redaction_off


def test_the_archive_is_told_and_the_stored_messages_are_unchanged(
    http: Http, sandbox: SandboxHandle, tmp_path: Path
) -> None:
    put_chat(sandbox, 2)
    genesys = PlatformInteractions(http=http, settings=PlatformSettings(archive_folder=tmp_path))
    interaction = genesys.read_interaction(CHAT)
    kept = genesys.keep_redacted(interaction, [{"id": "m", "textBody": "[REDACTED]"}])
    assert not kept.replaced
    assert kept.steps == {
        "stored_messages": "unchanged: the API cannot change them",
        "archived": "chat-1.json",
        "recordings": "off",
        "gdpr_request": "off",
    }
    archived = json.loads((tmp_path / "chat-1.json").read_text("utf-8"))
    assert archived["messages"] == [{"id": "m", "textBody": "[REDACTED]"}]
    assert genesys.read_interaction(CHAT) == interaction
    assert sandbox.effects(system="platform") == []
