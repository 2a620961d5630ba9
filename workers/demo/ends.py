"""Operations on chats that end: the bridge names them by the moment, which is the sandbox's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workers.bridge.judging import occurrences
from workers.demo.plan import Plan, Planned, told

TEMPLATE = "v2.detail.events.conversation.{id}.customer.end"


def with_ends(plan: Plan, events: Iterable[Mapping[str, Any]]) -> Plan:
    """Return `plan` with what is known by now of its chats, from the sandbox's `events`."""
    bodies = [each["detail"]["eventBody"] for each in events]
    ended = {each["conversationId"]: each["eventTime"] for each in bodies}
    return Plan(planned=tuple(_known(each, ended) for each in plan.planned))


def _known(planned: Planned, ended: Mapping[str, int]) -> Planned:
    happening = planned.errand.happening
    if happening is None or happening.value or happening.subject not in ended:
        return planned
    value = occurrences.of_moment(ended[str(happening.subject)])
    known = replace(happening, value=value)
    return told(replace(planned.errand, happening=known), known)
