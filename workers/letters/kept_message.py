"""What the bytes of a dead letter hold: the message as it stood on its queue, or a part of it.

A letter keeps its message in the fullest form that was at hand. Its shape tells which one it is:

- an object with `headers` and `body`: the whole message, as a producer has put it on the queue
- a list of three: its body, `[args, kwargs, embed]`
- a list of two: positional and keyword arguments
- any other object: keyword arguments
- anything else: bytes that nobody can read, kept as they are
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kombu.message import Message as KombuMessage

from tasks.errors import Rejected
from tasks.fields import is_identifier
from workers.consuming import envelope
from workers.transport.claims import LARGEST


@dataclass(frozen=True, kw_only=True)
class KeptMessage:
    """A task message that could be read. `task` and `id` are "" where the bytes do not tell them.

    `embed` is what Celery does after the task: callbacks, errbacks, the rest of a chain.
    """

    task: str = ""
    id: str = ""
    arguments: Mapping[str, Any] = field(repr=False)
    positional: tuple[Any, ...] = field(default=(), repr=False)
    embed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ignore_result: bool = False

    def named(self, argument: str) -> str:
        """Return an argument that is an id, "" where it is none."""
        value = self.arguments.get(argument)
        return value if is_identifier(value) else ""

    def shown(self) -> dict[str, Any]:
        """Return all of it, for whoever may see personal data."""
        fields = {name: value for name, value in vars(self).items() if value}
        return {**fields, "arguments": dict(self.arguments)}


def read(content: bytes) -> KeptMessage:
    """Return the message that `content` holds.

    Raises `Rejected`, naming the field and the rule, where Celery could not take it either.
    """
    if len(content) > LARGEST:
        raise Rejected(f"message: must not be larger than {LARGEST} bytes")
    match _parsed(content):
        case {"headers": _, "body": _}:
            return _whole(envelope.read(content))
        case [list() as positional, dict() as arguments]:
            return KeptMessage(positional=tuple(positional), arguments=arguments)
        case [list(), dict(), dict() | None] as body:
            return _with_body({}, body)
        case dict() as arguments:
            return KeptMessage(arguments=arguments)
    raise Rejected("message: is no Celery task message")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Rejected("message: cannot be read as JSON") from None


def _whole(message: Mapping[str, Any]) -> KeptMessage:
    headers = message["headers"]
    received = KombuMessage(
        body=_body(message),
        content_type=message["content-type"],
        content_encoding=message["content-encoding"],
        headers=headers,
        accept={"application/json"},
    )
    if received.errors:
        raise Rejected("message: cannot be decompressed")
    try:
        body = received.decode()
    except Exception as error:  # noqa: BLE001  # a compressed body may break in any way
        raise Rejected(f"message: cannot be read ({type(error).__name__})") from None
    envelope.check(headers, body)
    return _with_body(headers, body)


def _body(message: Mapping[str, Any]) -> Any:
    encoded = message["properties"].get("body_encoding")
    return base64.b64decode(message["body"]) if encoded else message["body"]


def _with_body(headers: Mapping[str, Any], body: Any) -> KeptMessage:
    positional, arguments, embed = body
    return KeptMessage(
        task=headers.get("task", ""),
        id=headers.get("id", ""),
        arguments=arguments,
        positional=tuple(positional),
        embed={name: value for name, value in (embed or {}).items() if value},
        ignore_result=bool(headers.get("ignore_result")),
    )
