"""The vendor's `ErrorBody`, and the refusals that several resources share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sandbox.errors import Refused


def error_body(refusal: Refused, context_id: str) -> Mapping[str, Any]:
    """An `ErrorBody`; for a refused token request, the error of RFC 6749."""
    if "error" in refusal.extra:
        return {"description": refusal.message, **refusal.extra}
    return {
        "message": refusal.message,
        "code": refusal.code,
        "status": refusal.status,
        "messageParams": {},
        "contextId": context_id,
        "details": [],
        "errors": [],
        **refusal.extra,
    }


def refuse(status: int, code: str, template: str, **params: str) -> Refused:
    """A refusal whose message has the `{names}` of its template filled in.

    The body carries the template too (`messageWithParams`), and what was filled in.
    """
    message = template.format_map(params)
    return Refused(status, code, message, messageWithParams=template, messageParams=params)


def not_found(what: str, entity_id: str, code: str = "not.found") -> Refused:
    """404, naming the id that this organisation does not have."""
    details = [{"errorCode": code, "entityId": entity_id, "entityName": what}]
    message = f"{what} {entity_id} was not found"
    return Refused(404, code, message, entityId=entity_id, entityName=what, details=details)


def invalid(field: str, message: str, code: str = "validation.failed") -> Refused:
    """422: well-formed, and against a rule about `field`."""
    details = [{"errorCode": code, "fieldName": field}]
    return Refused(422, code, f"{field}: {message}", details=details)
