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

#: What a producer's event says in terms of its own, and whether that is an id.
_IDS = ("root_id", "parent_id")
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
    """Return a producer's event without the values of arguments, and without strangers' names."""
    told = {name: value for name, value in event.items() if name not in ("args", "kwargs")}
    ids = {name: None for name in _IDS if not is_identifier(event.get(name))}
    return {**told, **ids, **{name: _shown(event.get(name)) for name in _NAMES}}


def _shown(name: Any) -> str:
    """Return a name of a task or queue: parts of words between dots."""
    return ".".join(map(shown_name, str(name or "").split("."))) if name else ""
