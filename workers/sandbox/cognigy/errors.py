"""The vendor's error body: a problem of RFC 7807 with a code and a trace id."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import responses
from typing import Any

from workers.sandbox.errors import Refused

#: Codes by status. The vendor's examples name 1000 alone; the others are the sandbox's own.
_CODES = {400: 1000, 401: 1001, 404: 1002, 405: 1003, 409: 1004, 413: 1005, 415: 1006, 429: 1007}
_OTHER = 1999


def error_body(refusal: Refused, context_id: str) -> Mapping[str, Any]:
    """`{type, title, status, detail, code, traceId, details}`."""
    phrase = responses.get(refusal.status, "Unknown")
    return {
        "type": phrase,
        "title": f"{phrase} Error",
        "status": refusal.status,
        "detail": refusal.message,
        "code": _CODES.get(refusal.status, _OTHER),
        "traceId": f"api--{context_id}",
        "details": refusal.extra.get("details", {}),
    }


def invalid(field: str, message: str) -> Refused:
    """400: a rule about one field of the body is broken."""
    detail = f"Validation failed. {field}: {message}"
    return Refused(400, "validation.failed", detail, details={"field": field})
