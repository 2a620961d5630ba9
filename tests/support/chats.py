"""Completed chats that a test adds to the sandbox, each with one e-mail address in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from workers.sandbox.testing import SandboxHandle

TEXTS = ("You can reach me at ann@example.com.", "Thank you, is there anything else?")


def add_chat(sandbox: SandboxHandle, chat_id: str, *, started: str) -> None:
    """Add a chat of two messages that began at `started` (ISO 8601)."""
    sandbox.put("interactions", chat_id, _chat(chat_id, started))


def add_chats(sandbox: SandboxHandle, count: int, *, first: datetime) -> set[str]:
    """Add `count` chats, one a minute from `first` on, and return their ids."""
    ids = [f"chat-{number}" for number in range(count)]
    moments = [first + timedelta(minutes=number) for number in range(count)]
    chats = {
        chat_id: _chat(chat_id, moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        for chat_id, moment in zip(ids, moments, strict=True)
    }
    sandbox.put_many("interactions", chats)
    return set(ids)


def _chat(chat_id: str, started: str) -> dict[str, Any]:
    messages = [
        {
            "id": f"{chat_id}-{number}",
            "type": "text",
            "from": "customer",
            "to": "agent",
            "timestamp": started,
            "text": text,
        }
        for number, text in enumerate(TEXTS)
    ]
    return {"messages": messages, "startTime": started}
