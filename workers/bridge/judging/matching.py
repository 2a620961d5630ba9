"""What an event asks for by the rules: pure, and decided of each rule on its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tasks.apis.moments import iso
from tasks.errors import Rejected
from tasks.messages import Message, parse
from workers.bridge.judging import occurrences
from workers.bridge.judging.expressions import Expression, holds
from workers.bridge.judging.occurrences import Occurrence
from workers.bridge.judging.patterns import Ids
from workers.bridge.judging.rules import Rule, RuleSet
from workers.bridge.reading.events import Event, Source
from workers.bridge.reading.moments import milliseconds, moment

TOO_OLD = "too old"

#: An event's body, and the ids of its topic as `topic`.
Body = Mapping[str, Any]

#: What is left of a refusal's text where it is counted: how many there were would be endless.
_COUNTS = re.compile(r", not \d+$| \(and \d+ more\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A message that a rule wants on its queue, and the occurrence that it is about."""

    rule: str
    message: Message = field(repr=False)
    occurrence: Occurrence
    #: When the event happened.
    at: datetime
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What a rule would have wanted, and why nothing comes of it."""

    rule: str
    #: `too old`, `missing: FIELD`, `invalid: FIELD RULE`: few texts, which quote nothing.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one event comes to."""

    wanted: tuple[Wanted, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def matched(self) -> bool:
        """Whether any rule was for this event."""
        return bool(self.wanted or self.dropped)


def judge(event: Event, rules: RuleSet, tenant: str, now: datetime) -> Judgement:
    """Return the messages that `event` asks for, and what rules would have wanted, but cannot."""
    found = [apply(rule, ids, event, tenant, now) for rule, ids in rules.of(event.topic)]
    return Judgement(
        wanted=tuple(each for each in found if isinstance(each, Wanted)),
        dropped=tuple(each for each in found if isinstance(each, Dropped)),
    )


def apply(
    rule: Rule, ids: Ids, event: Event, tenant: str, now: datetime
) -> Wanted | Dropped | None:
    """Return what a rule for the event's topic makes of it; None where it is not for this one."""
    if not rule.enabled or (event.source == "backfill" and rule.backfill == "nothing"):
        return None
    body: Body = {**event.body, "topic": ids}
    try:
        if rule.when and not holds(_told(body, rule.when, "when")):
            return None
        if now - event.at > rule.max_age:
            raise _Drop(TOO_OLD)
        occurrence = _occurrence(rule, event, body, tenant)
        message = _message(rule, event, body, tenant, occurrence)
    except _Drop as drop:
        return Dropped(rule=rule.name, reason=str(drop))
    return Wanted(
        rule=rule.name, message=message, occurrence=occurrence, at=event.at, source=event.source
    )


class _Drop(Exception):
    """Raised where nothing comes of a rule, with the reason."""


def _told(body: Body, expression: Expression, what: str) -> Any:
    try:
        return expression.of(body)
    except ValueError as error:
        raise _Drop(f"invalid: {what} {error}") from None


def _occurrence(rule: Rule, event: Event, body: Body, tenant: str) -> Occurrence:
    named = _told(body, rule.subject, "subject")
    if _is_empty(named) or (isinstance(named, list) and None in named):
        raise _Drop("missing: subject")
    return Occurrence(
        subject=occurrences.subject(rule.task, tenant, named),
        value=_value(rule, body, is_backfilled=event.source == "backfill"),
        at=milliseconds(event.at),
    )


def _value(rule: Rule, body: Body, *, is_backfilled: bool) -> str:
    """Return what occurred; "" where no moment is told, or a backfill could not tell the rest."""
    which = rule.occurrence
    value = _told(body, which.told, "occurrence")
    if _is_empty(value) and (is_backfilled or which.at):
        return ""
    if which.at:
        return occurrences.of_moment(milliseconds(_moment(value)))
    return occurrences.of_ids(_ids(value)) if which.ids else occurrences.of_values(value)


def _is_empty(value: Any) -> bool:
    """Return whether a value tells nothing: it is empty, or nothing that it names is there."""
    if isinstance(value, list | dict):
        return all(each is None for each in (value.values() if isinstance(value, dict) else value))
    return value in (None, "")


def _moment(value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise _Drop("invalid: occurrence must be a moment: epoch milliseconds, or ISO 8601")
    return found


def _ids(value: Any) -> list[str]:
    ids = [each for each in (value if isinstance(value, list) else [value]) if each is not None]
    if not all(isinstance(each, str) for each in ids):
        raise _Drop("invalid: occurrence must be a list of ids")
    return ids


def _message(rule: Rule, event: Event, body: Body, tenant: str, occurrence: Occurrence) -> Message:
    arguments = {name: _argument(rule, name, body) for name in rule.arguments}
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in rule.required:
        if name not in given:
            raise _Drop(f"missing: {name}")
    given |= {"tenant": tenant, "operation_id": occurrence.operation_id}
    try:
        return parse(rule.model, {**given, "correlation_id": event.correlation_id})
    except Rejected as refusal:
        raise _Drop(f"invalid: {_counted(str(refusal))}") from None


def _argument(rule: Rule, name: str, body: Body) -> Any:
    """Return an argument's value, None where there is none."""
    value = _told(body, rule.arguments[name], name)
    if name in rule.moments and (at := moment(value)):
        return iso(at)
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if each is not None} or None
    return value


def _counted(refusal: str) -> str:
    """Return a refusal's text with the argument alone, and without numbers that have no end."""
    path, _, rule = _COUNTS.sub("", refusal).partition(": ")
    return f"{path.partition('.')[0]} {rule}"
