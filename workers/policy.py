"""The error policy: a table from cause to what happens, and the pure function that reads it.

`decide` answers what to do about an error; acting on it happens in `workers.operation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks import errors
from workers.watching.telemetry import describe

DAY = 86_400.0

#: Seconds a system is paused at least after a 429, and as long as a server may ask for.
SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = DAY


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What happens to an operation that meets `cause`.

    Without `tries` the error is final at once. Otherwise the message goes back after
    `first_wait · 2ⁿ` seconds with jitter, at most `longest_wait`, until the tries are used up.
    `counts` is False where going back costs no try; then the error names the wait, and `deadline`
    (seconds since the first attempt) bounds it, if anything does. `ends_as` is how it ends.
    """

    cause: type[errors.WorkerError]
    answer: str
    meaning: str
    ends_as: type[errors.OperationError]
    tries: int | None = None
    first_wait: float = 0.0
    longest_wait: float = 0.0
    counts: bool = True
    deadline: float | None = None

    @property
    def name(self) -> str:
        """The name under which its failed tries are counted."""
        return self.cause.__name__


#: The first rule whose cause fits decides.
POLICY: tuple[Rule, ...] = (
    Rule(
        cause=errors.BadRequest,
        answer="3xx, 400 and other 4xx",
        meaning="malformed, moved, or an answer too large",
        ends_as=errors.Rejected,
    ),
    Rule(
        cause=errors.Unauthenticated,
        answer="401 twice",
        meaning="the renewed token is refused too",
        ends_as=errors.Rejected,
    ),
    Rule(
        cause=errors.Forbidden,
        answer="403",
        meaning="scope or permission missing",
        ends_as=errors.Rejected,
    ),
    Rule(cause=errors.NotFound, answer="404", meaning="unknown or ended", ends_as=errors.Rejected),
    Rule(
        cause=errors.StateChanged,
        answer="409",
        meaning="somebody else changed it: read again, decide again",
        ends_as=errors.Conflict,
        tries=5,
        first_wait=0.5,
        longest_wait=8.0,
    ),
    Rule(cause=errors.Unprocessable, answer="422", meaning="rule broken", ends_as=errors.Rejected),
    Rule(
        cause=errors.RateLimited,
        answer="429",
        meaning="too many requests: pause the tenant's system for Retry-After",
        ends_as=errors.Failed,
        first_wait=5.0,
        counts=False,
        deadline=DAY,
    ),
    Rule(
        cause=errors.OutcomeUnknown,
        answer="5xx, timeout, reset",
        meaning="unknown whether it took effect: read back, then repeat",
        ends_as=errors.Failed,
        tries=8,
        first_wait=1.0,
        longest_wait=300.0,
    ),
    Rule(
        cause=errors.Postponed,
        answer="no call made",
        meaning="a rate, a budget, a pause or a busy lock of ours",
        ends_as=errors.Failed,
        counts=False,
    ),
)

#: A fault of our own is tried again as well: it may lie in what was read.
UNEXPECTED = Rule(
    cause=errors.WorkerError,
    answer="a fault of ours",
    meaning="an unexpected error in a worker, logged by type and place",
    ends_as=errors.Failed,
    tries=3,
    first_wait=1.0,
    longest_wait=60.0,
)


class Adjustment(BaseModel):
    """What an installation changes of a rule, in the rule's own terms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tries: Annotated[int, Field(ge=1)] | None = None
    first_wait: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    longest_wait: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


Adjustable = Literal["409", "429", "5xx"]

#: The rules that can be adjusted, by the answer they are about.
ADJUSTABLE: Mapping[Adjustable, type[errors.ApiError]] = {
    "409": errors.StateChanged,
    "429": errors.RateLimited,
    "5xx": errors.OutcomeUnknown,
}


def adjusted(adjustments: Mapping[Adjustable, Adjustment]) -> tuple[Rule, ...]:
    """Return the policy with some of its numbers changed."""
    changes: dict[type[errors.WorkerError], dict[str, Any]] = {
        ADJUSTABLE[key]: change.model_dump(exclude_none=True) for key, change in adjustments.items()
    }
    return tuple(
        replace(rule, **changes[rule.cause]) if rule.cause in changes else rule for rule in POLICY
    )


@dataclass(frozen=True, kw_only=True)
class PutBack:
    """Try again in `wait` seconds; `cause` counts a try where it is not empty."""

    wait: float
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class End:
    """End the operation with `error`."""

    error: errors.OperationError


def rule_for(error: Exception, rules: Iterable[Rule] = POLICY) -> Rule:
    """Return the rule that `error` falls under."""
    return next((rule for rule in rules if isinstance(error, rule.cause)), UNEXPECTED)


def is_fault(error: Exception, rules: Iterable[Rule] = POLICY) -> bool:
    """Return whether `error` is a fault of ours, which no rule foresees."""
    return not isinstance(error, errors.OperationError) and rule_for(error, rules) is UNEXPECTED


def decide(
    error: Exception,
    *,
    tries: Mapping[str, int],
    elapsed: float,
    random: Random,
    rules: Iterable[Rule] = POLICY,
) -> PutBack | End:
    """Return what happens to an operation after `error`.

    `tries` counts earlier failures by rule name, `elapsed` is seconds since the first attempt.
    """
    if isinstance(error, errors.OperationError):
        return End(error=error)
    rule = rule_for(error, rules)
    failed = tries.get(rule.name, 0) + 1
    wait = _asked_wait(error, rule)
    if wait is None:
        settling = error.settling if isinstance(error, errors.OutcomeUnknown) else 0.0
        wait = max(settling, _backoff(rule, failed, random))
    deadline = _deadline(error, rule)
    if deadline is not None and elapsed + wait > deadline:
        return End(error=rule.ends_as(f"{say(error)}, for {elapsed:,.0f} s"))
    if rule.counts and failed >= (rule.tries or 1):
        after = f", {failed} times" if failed > 1 else ""
        return End(error=rule.ends_as(f"{say(error)}{after}"))
    return PutBack(wait=wait, cause=rule.name if rule.counts else "")


def say(error: Exception) -> str:
    """Return what may be said of an error: our own texts are safe, others may quote data."""
    return str(error) if isinstance(error, errors.WorkerError) else f"fault: {describe(error)}"


def _asked_wait(error: Exception, rule: Rule) -> float | None:
    """Return the seconds to wait where the error itself decides them."""
    if isinstance(error, errors.Postponed):
        return error.wait
    return pause_after(error, rule) if isinstance(error, errors.RateLimited) else None


def pause_after(error: errors.RateLimited, rule: Rule) -> float:
    """Return the seconds for which a 429 pauses its tenant's system.

    A server that names no wait gets the rule's; one that asks for more than a day is asked again
    after a day.
    """
    asked = rule.first_wait if error.retry_after is None else error.retry_after
    return min(max(asked, SHORTEST_PAUSE), LONGEST_PAUSE)


def _deadline(error: Exception, rule: Rule) -> float | None:
    own = getattr(error, "deadline", None)
    return own if own is not None else rule.deadline


def _backoff(rule: Rule, failed: int, random: Random) -> float:
    """Return `first_wait · 2ⁿ` within the longest wait, less up to half of it as jitter."""
    full = min(rule.first_wait * 2.0 ** (failed - 1), rule.longest_wait)
    return full * random.uniform(0.5, 1.0)
