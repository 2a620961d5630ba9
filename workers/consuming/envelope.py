"""Whether what stands on a queue is a task message that Celery can take.

Celery and Kombu trust their queues: a message of another shape ends the worker, and once it is
delivered again the next one. So what they rely on is checked before they see it. The shape is that
of Kombu's virtual transports and of Celery's message protocol, version 2.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from kombu.utils import json
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tasks.errors import Rejected
from tasks.fields import Identifier
from tasks.refusals import explain

#: No public message is nested more than seven levels deep.
MAX_DEPTH = 64

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def _as_clients_write(value: Any) -> Any:
    """Refuse other forms of a moment than `claim_message.lua` reads."""
    if value is not None and not (isinstance(value, str) and _MOMENT.fullmatch(value)):
        raise PydanticCustomError("moment", "must be an ISO 8601 date and time with seconds")
    return value


Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_as_clients_write)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True, hide_input_in_errors=True)


class Properties(_Part):
    """What Kombu delivers and answers by."""

    delivery_tag: Identifier
    body_encoding: Literal["base64"] | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    priority: int | None = None


class Envelope(_Part):
    """A message as it stands in a Redis list."""

    body: str
    headers: dict[str, Any]
    properties: Properties
    content_type: Annotated[str, Field(alias="content-type")]
    content_encoding: Annotated[str, Field(alias="content-encoding")]

    @model_validator(mode="after")
    def _can_be_decoded(self) -> Envelope:
        if self.properties.body_encoding:
            try:
                base64.b64decode(self.body, validate=True)
            except ValueError:
                raise PydanticCustomError("base64", "body: is no base64") from None
        return self


class Moments(_Part):
    """The headers that the claim has read already."""

    eta: Moment | None = None
    expires: Moment | None = None


class Timed(_Part):
    """A message, as far as it says when it is due and until when it counts."""

    headers: Moments


class Headers(Moments):
    """The headers of a task message that Celery or this project reads."""

    task: Annotated[str, Field(min_length=1, max_length=256)]
    id: Identifier
    root_id: Identifier | None = None
    parent_id: Identifier | None = None
    group: Identifier | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    timelimit: Annotated[list[float | None], Field(min_length=2, max_length=2)] | None = None
    ignore_result: bool | None = None
    stamped_headers: list[str] | None = None
    stamps: dict[str, Any] | None = None


class Signature(_Part):
    """A step of a canvas that follows the message."""

    task: str
    positional: Annotated[list[Any], Field(alias="args")] = []
    named: Annotated[dict[str, Any], Field(alias="kwargs")] = {}
    options: dict[str, Any] = {}


class Embed(_Part):
    """What Celery does after the task."""

    callbacks: list[Signature] | None = None
    errbacks: list[Signature] | None = None
    chain: list[Signature] | None = None
    chord: Signature | None = None


class Body(_Part):
    """The body `[args, kwargs, embed]`."""

    positional: Annotated[list[Any], Field(alias="args")]
    named: Annotated[dict[str, Any], Field(alias="kwargs")]
    embed: Embed | None


def _named(body: Any) -> Any:
    if not isinstance(body, list | tuple) or len(body) != 3:
        raise PydanticCustomError("body", "must be [args, kwargs, embed]")
    return dict(zip(("args", "kwargs", "embed"), body, strict=True))


class Task(_Part):
    """The decoded parts of a task message."""

    headers: Headers
    body: Annotated[Body, BeforeValidator(_named)]


def read(raw: bytes) -> dict[str, Any]:
    """Return the message that `raw` is. Raises `Rejected` naming the field and the rule."""
    try:
        found = json.loads(raw)
    except Exception:  # noqa: BLE001  # Kombu makes objects of some values and may stumble anyhow
        raise Rejected("message: is no JSON") from None
    _validate(Envelope, found)
    return dict(found)


def check_moments(headers: Mapping[str, Any]) -> None:
    """Raise `Rejected` where the claim cannot have read when the message is due or expires."""
    _validate(Timed, {"headers": headers})


def check(headers: Mapping[str, Any], body: Any) -> None:
    """Raise `Rejected`, naming the field and the rule, unless Celery can take the task message."""
    if deeper(body, MAX_DEPTH):
        raise Rejected(f"message: must not be nested more than {MAX_DEPTH} levels deep")
    _validate(Task, {"headers": headers, "body": body})


def deeper(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested in `value` more than `levels` deep."""
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _inside(outer)]
    return any(isinstance(each, dict | list | tuple) for each in layer)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


P = TypeVar("P", bound=_Part)


def _validate(model: type[P], found: Any) -> None:
    try:
        model.model_validate(found)
    except ValidationError as error:
        raise Rejected(explain(error, str)) from None
