"""The vendor's error body, and what is wrong with a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.sandbox.errors import Refused

Problem = Mapping[str, str]


def error_body(refusal: Refused, context_id: str) -> Mapping[str, Any]:
    """`{errors[{field, message, errorCode}], uid}`; of a token request, the error of RFC 6749."""
    if "error" in refusal.extra:
        return refusal.extra
    everything = [problem("", refusal.code, refusal.message)]
    return {"errors": refusal.extra.get("errors", everything), "uid": context_id}


def problem(field: str, code: str, message: str) -> Problem:
    """One of an answer's `errors`; `field` is "" where the request as a whole is wrong."""
    return {"field": field, "message": message, "errorCode": code}


def invalid(problems: Sequence[Problem]) -> Refused:
    """422: well-formed, and against the rules of these fields."""
    return Refused(422, "validation.failed", "the custom fields are invalid", errors=problems)
