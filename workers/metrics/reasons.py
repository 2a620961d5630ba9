"""Why a message goes back, as one of few words: its full reason may name what is in the way."""

from __future__ import annotations

from tasks.errors import OutcomeUnknown, Postponed, RateLimited, StateChanged, Unreachable

#: The first that fits decides; nothing fits a fault of ours.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (RateLimited, "rate_limited"),
    (StateChanged, "conflict"),
    (Unreachable, "unreachable"),
    (OutcomeUnknown, "outcome_unknown"),
)


def word_for(error: Exception) -> str:
    """Return why a message goes back that has met `error`."""
    if isinstance(error, Postponed):
        return error.kind
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "fault")
