"""Message conversations of the Platform API as tests need them: who left when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tasks.apis.moments import iso

MINUTE = timedelta(minutes=1)


def conversation(
    start: datetime,
    *,
    left: datetime | None = None,
    ended: datetime | None = None,
    media: str = "messages",
    contact: str | None = None,
    attributes: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A conversation whose customer left, and which ended when its agent did."""
    left = left or ended
    customer = _participant("customer", start, left, media)
    customer["attributes"] = attributes or {}
    customer |= {"externalContactId": contact} if contact else {}
    agent = _participant("agent", start + MINUTE, ended, media)
    document: dict[str, Any] = {"startTime": iso(start), "participants": [customer, agent]}
    return {**document, "endTime": iso(ended)} if ended else document


def _participant(purpose: str, start: datetime, end: datetime | None, media: str) -> dict[str, Any]:
    communication: dict[str, Any] = {
        "id": f"{purpose}-session",
        "state": "disconnected" if end else "connected",
        "direction": "inbound",
        "provider": "PureCloud Messaging",
        "connectedTime": iso(start),
    }
    if media == "messages":
        communication |= {"type": "webmessaging", "messages": []}
    participant: dict[str, Any] = {
        "id": purpose,
        "purpose": purpose,
        "startTime": iso(start),
        "connectedTime": iso(start),
        "attributes": {},
        media: [communication],
    }
    if end:
        participant["endTime"] = communication["disconnectedTime"] = iso(end)
        communication["disconnectType"] = "client"
    return participant
