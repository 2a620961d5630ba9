"""What rules would make of events, told rule by rule, with nothing put anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tasks.errors import UnreadableEvent
from tasks.messages import Message
from workers.bridge.judging.matching import TOO_OLD, Dropped, Wanted, apply
from workers.bridge.judging.rules import Rule, RuleSet
from workers.bridge.reading.events import Event, parse

UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule makes of one event: a message, or why there would be none, or both.

    A message that would come too late is told as well, and so is the rule that would want it.
    """

    #: The line of the event.
    line: int
    topic: str = ""
    rule: str = ""
    message: Message | None = field(default=None, repr=False)
    #: Why nothing would be enqueued; "" where the message would be.
    reason: str = ""
    #: Whether the event could not even be read.
    is_unreadable: bool = False


def verdicts(content: bytes, rules: RuleSet, tenant: str, now: datetime) -> Iterator[Verdict]:
    """Yield what `rules` make of events: one JSON object a line, or one over several lines."""
    for line, raw in _documents(content.removeprefix(UTF8_MARK)):
        try:
            event = parse(raw, "file")
        except UnreadableEvent as error:
            yield Verdict(line=line, reason=f"unreadable: {error.reason}", is_unreadable=True)
            continue
        fitting = [*rules.of(event.topic)]
        if not fitting:
            yield Verdict(line=line, topic=event.topic, reason="no rule is for this topic")
        for rule, ids in fitting:
            # As of its own moment, since it is told besides whether it is too old by now.
            found = apply(rule, ids, event, tenant, event.at)
            yield _verdict(line, event, rule, found, now)


def _documents(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the events with the lines on which they begin.

    It is one over several lines where all of it is JSON, or no line is.
    """
    lines = [(n, line) for n, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    if len(lines) > 1 and (_is_json(content) or not any(_is_json(line) for _, line in lines)):
        yield lines[0][0], content
    else:
        yield from lines


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _verdict(
    line: int, event: Event, rule: Rule, found: Wanted | Dropped | None, now: datetime
) -> Verdict:
    message = found.message if isinstance(found, Wanted) else None
    if isinstance(found, Dropped):
        reason = found.reason
    elif found is None:
        reason = "its condition does not hold" if rule.enabled else "the rule is off"
    else:
        reason = TOO_OLD if now - event.at > rule.max_age else ""
    return Verdict(line=line, topic=event.topic, rule=rule.name, message=message, reason=reason)
