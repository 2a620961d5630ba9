"""Types of message fields: ids that are safe in a path, encodable texts, moments with a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeGuard

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

MAX_ID = 128
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@+\-]{0,127}$"
ID_RULE = "must be 1 to 128 letters, digits or . _ : @ + - and start with a letter or digit"


def _without_dots(value: str) -> str:
    if ".." in value:
        raise PydanticCustomError("identifier", ID_RULE)
    return value


def _encodable(value: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise PydanticCustomError("unicode", "must be valid Unicode, without lone surrogates")
    return value


def distinct(values: list[str]) -> list[str]:
    """Return `values`, or refuse them where one is there twice."""
    if len(set(values)) != len(values):
        raise PydanticCustomError("distinct", "must not name the same id twice")
    return values


def _iso_8601(value: object) -> object:
    """Pydantic alone would take numbers, and texts of digits, for epoch seconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[4:5] == "-"):
        return value
    raise PydanticCustomError("moment", "must be an ISO 8601 date-time with a time zone")


def _in_utc(value: datetime) -> datetime:
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "must lie in the years 1 to 9999 of UTC") from None
    return value


Identifier = Annotated[
    str,
    Field(pattern=ID_PATTERN, max_length=MAX_ID),
    AfterValidator(_without_dots),
]
Text = Annotated[str, AfterValidator(_encodable)]
#: What a kind of personal data may be called: one of `tasks.pii.ENTITIES`, or a tenant's own.
EntityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
AttributeName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_encodable)]
Attributes = Annotated[dict[AttributeName, Text], Field(min_length=1)]
Moment = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_iso_8601),
    AfterValidator(_in_utc),
]

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def is_identifier(value: object) -> TypeGuard[str]:
    """Return whether `value` is an id that a message may name and a path may hold."""
    try:
        _IDENTIFIER.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
