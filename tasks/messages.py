"""The public message models: what a producer may put on a queue.

One model per task, validated strictly: unknown fields, other types and unsafe ids are refused.
`parse` turns the keyword arguments of a task message into a model, or raises `Rejected` with one
line that names the field and the rule and never quotes a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from tasks.errors import Rejected

MAX_MESSAGE_BYTES = 262_144
MAX_ATTRIBUTE_BYTES = 1_024
DEFAULT_TENANT = "default"

_ID_RULE = "must be 1 to 128 letters, digits or . _ : @ + - and start with a letter or digit"
_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def compact_json(value: object) -> bytes:
    """Return `value` as JSON in the form sent on the wire: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _without_dots(value: str) -> str:
    if ".." in value:
        raise PydanticCustomError("identifier", _ID_RULE)
    return value


def _encodable(value: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise PydanticCustomError("unicode", "must be valid Unicode, without lone surrogates")
    return value


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("distinct", "must not name the same id twice")
    return values


def _within_1_kb(values: dict[str, str]) -> dict[str, str]:
    if len(compact_json(values)) > MAX_ATTRIBUTE_BYTES:
        raise PydanticCustomError("size", "must be at most 1,024 bytes of UTF-8 JSON")
    return values


Identifier = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+\-]{0,127}$", max_length=128),
    AfterValidator(_without_dots),
]
Text = Annotated[str, AfterValidator(_encodable)]
AttributeName = Annotated[Text, Field(min_length=1, max_length=256)]
Attributes = Annotated[dict[AttributeName, Text], Field(min_length=1)]
Moment = Annotated[AwareDatetime, Field(strict=False)]


class Message(BaseModel):
    """What every message carries besides its own arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    task: ClassVar[str]
    queue: ClassVar[str]

    tenant: Identifier = DEFAULT_TENANT
    #: The idempotency key; without one it is the Celery message's own id.
    operation_id: Identifier | None = None
    #: Goes to logs, audit and the API calls.
    correlation_id: Identifier | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the task message, JSON types only, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


M = TypeVar("M", bound=Message)


class MergeProfiles(Message):
    """Merge one to ten guest profiles into a target profile."""

    task = "merge_profiles"
    queue = "merge"

    source_profile_ids: Annotated[
        list[Identifier], Field(min_length=1, max_length=10), AfterValidator(_distinct)
    ]
    target_profile_id: Identifier
    merge_policy: Literal["target_wins", "source_wins", "custom"] = "target_wins"

    @model_validator(mode="after")
    def _target_is_no_source(self) -> Self:
        if self.target_profile_id in self.source_profile_ids:
            raise PydanticCustomError("self_merge", "target_profile_id: must not be a source too")
        return self


class MergeAndSync(MergeProfiles):
    """Merge, then sync the surviving profile."""

    task = "merge_and_sync"

    customer_id: Identifier | None = None
    #: The contact to sync, where it is not the surviving profile itself.
    contact_id: Identifier | None = None


class SetAttributes(Message):
    """Set attributes on a participant of a live conversation."""

    task = "set_attributes"
    queue = "attributes"

    conversation_id: Identifier
    attributes: Annotated[Attributes, AfterValidator(_within_1_kb)]
    participant_id: Identifier | None = None
    participant_type: Identifier = "user"
    #: An older message never overwrites a newer value of the same key.
    occurred_at: Moment | None = None


class SyncProfile(Message):
    """Copy a contact's attributes to the tenant's customer store."""

    task = "sync_profile"
    queue = "sync"

    contact_id: Identifier
    customer_id: Identifier | None = None
    #: The values to sync, where the event already told them; the contact is not read then.
    attributes: Attributes | None = None
    occurred_at: Moment | None = None


PUBLIC: dict[str, type[Message]] = {
    model.task: model for model in (MergeProfiles, MergeAndSync, SetAttributes, SyncProfile)
}


def parse(model: type[M], arguments: Mapping[str, Any]) -> M:
    """Return the message that `arguments` (a task's keyword arguments) make.

    Raises `Rejected` with one line naming the first broken field and its rule.
    """
    try:
        if len(json.dumps(arguments)) > MAX_MESSAGE_BYTES:
            raise Rejected(f"message: must be at most {MAX_MESSAGE_BYTES:,} bytes")
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        raise Rejected(explain(error)) from None
    except RecursionError:
        raise Rejected("message: must not be nested this deeply") from None


def explain(error: ValidationError) -> str:
    """Return one line for a validation error: the first field, its rule, how many more."""
    details = error.errors(include_input=False, include_url=False)
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return _line(details[0]) + more


def _line(detail: ErrorDetails) -> str:
    rule = _ID_RULE if detail["type"] == "string_pattern_mismatch" else detail["msg"]
    if detail["type"] == "extra_forbidden":
        rule = "is not a field of this message"
    where = ".".join(_shown(part) for part in detail["loc"])
    return f"{where}: {rule}" if where else rule


def _shown(part: str | int) -> str:
    """Field names of ours may be shown; a stranger's key may be personal data."""
    return str(part) if isinstance(part, int) or _SHOWN_NAME.fullmatch(part) else "?"
