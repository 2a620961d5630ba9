"""What the demonstration sends, and what has to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.demo.effects import Effect

DONE = frozenset({"done"})
NOOP = frozenset({"noop"})
REJECTED = frozenset({"rejected"})
#: What may be found done where another message, or an attempt without an answer, came first.
EITHER = DONE | NOOP


@dataclass(frozen=True, kw_only=True)
class Document:
    """What the sandbox has to hold for an errand: a document of one organisation."""

    kind: str
    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """What happens in the sandbox, of which the bridge has to make an errand's message.

    It is a `change` of a document, or without one the end of the chat that is its `subject`, which
    is named as in the bridge's rules. `value` is what occurs for them, "" until it is known.
    """

    subject: str | tuple[str, ...]
    value: str = ""
    change: Document | None = None
    #: The contact whose topic tells it, where the bridge has to listen to it by name.
    contact: str = ""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """An operation that has to follow by itself; its id is the errand's with `:suffix`.

    `{job_id}` in it stands for the id that the API gives to the job it is about.
    """

    suffix: str
    task: str
    endings: frozenset[str] = EITHER


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One operation that is asked for, and everything that has to come of it.

    `queue` is that of the default tenant; `organization` is both the tenant and the sandbox's.
    """

    task: str
    arguments: Mapping[str, Any]
    queue: str
    organization: str = "default"
    endings: frozenset[str] = EITHER
    effects: tuple[Effect, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    documents: tuple[Document, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    positional: tuple[Any, ...] = ()
    #: Whether the audit tells of it: of a message that no task can take, its dead letter does.
    recorded: bool = True
    #: What asks for it; without it, a message is sent.
    happening: Happening | None = None
