"""Events as Flower may keep them.

Those of our workers are masked where they are made. Only `task-sent` is made by producers, those
that have switched it on (`task_send_sent_event`), and it carries what they like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tasks.fields import is_identifier
from tasks.refusals import shown_name

Event = Mapping[str, Any]

#: What is told of a producer's event: about its making, and in terms of its own, ids and names.
_MAKING = ("type", "hostname", "pid", "clock", "timestamp", "local_received", "utcoffset")
_IDS = ("uuid", "root_id", "parent_id")
_NAMES = ("name", "queue", "exchange", "routing_key")


def masking(keep: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return what keeps events by `keep` as they may be shown."""

    def on_event(event: Event) -> None:
        if event.get("type") != "task-sent":
            keep(event)
        elif is_identifier(event.get("uuid")):
            keep(masked(event))

    return on_event


def masked(event: Event) -> Event:
    """Return a producer's event without its arguments, and without strangers' names."""
    making = {name: event[name] for name in _MAKING if name in event}
    ids = {name: event[name] for name in _IDS if is_identifier(event.get(name))}
    names = {name: _shown(str(event[name])) for name in _NAMES if event.get(name)}
    return {**making, **ids, **names}


def _shown(name: str) -> str:
    """Return the name of a task or a queue, of which each part looks like one."""
    return ".".join(map(shown_name, name.split(".")))
