"""Refusals: why a simulated system does not do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """Raised by whatever judges a request; becomes its answer.

    `extra` holds the fields that one error body has beyond the common ones
    (`version` of a 409, `scope` of a 403, `errors` of a 422).
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self, context_id: str) -> dict[str, Any]:
        """The error body `{message, code, status, contextId, …}`."""
        common = {"message": self.message, "code": self.code, "status": self.status}
        return {**common, "contextId": context_id, **self.extra}


def bad_request(message: str, code: str = "bad.request") -> Refused:
    """400: the request is malformed."""
    return Refused(400, code, message)


def not_found(what: str, entity_id: str) -> Refused:
    """404, naming the id that this organisation does not have."""
    details = [{"entityId": entity_id}]
    return Refused(404, "not.found", f"{what} {entity_id} was not found", details=details)


def conflict(code: str, message: str, **extra: Any) -> Refused:
    """409: the state is another than the caller believes."""
    return Refused(409, code, message, **extra)


def unprocessable(code: str, message: str, **extra: Any) -> Refused:
    """422: well-formed, and against a rule."""
    return Refused(422, code, message, **extra)
