"""Completed chats that a test adds to the sandbox, each with one e-mail address in it."""

from __future__ import annotations

from workers.sandbox.testing import SandboxHandle


def add_chat(sandbox: SandboxHandle, chat_id: str, *, started: str) -> None:
    """Add a chat of two messages that began at `started` (ISO 8601)."""
    texts = ("You can reach me at ann@example.com.", "Thank you, is there anything else?")
    messages = [
        {
            "id": f"{chat_id}-{number}",
            "type": "text",
            "from": "customer",
            "to": "agent",
            "timestamp": started,
            "text": text,
        }
        for number, text in enumerate(texts)
    ]
    sandbox.put("interactions", chat_id, {"messages": messages, "startTime": started})
