"""Cursors through results that are as they were when somebody asked for them."""

from __future__ import annotations

import base64
import binascii

from workers.sandbox.errors import bad_request


def cursor(owner_id: str, start: int) -> str:
    """An opaque text that says: the results of this query or job, from this one on."""
    return base64.urlsafe_b64encode(f"{owner_id} {start}".encode()).decode()


def place(owner_id: str, text: str | None) -> int:
    """Where a cursor of the same owner points, 0 without one. Raises Refused (400)."""
    if not text:
        return 0
    try:
        owner, start = base64.urlsafe_b64decode(text).decode().split()
    except (ValueError, binascii.Error):
        owner, start = "", "0"
    if owner != owner_id:
        raise bad_request("cursor: is none of these results")
    return int(start)
