"""Bodies of the platform: judged by their shape, and refused in the vendor's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from workers.sandbox.call import Call, complaint
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.wire import decode
from workers.sandbox.world import Document

#: A field that the system sets: clients send it back as they read it, and it is ignored.
Own = Annotated[Any, "own"]

_CODES = {"extra_forbidden": "invalid.property", "literal_error": "invalid.value"}


@dataclass(frozen=True)
class Shape:
    """What a body may look like: JSON types as they are, unknown fields refused.

    `kind` is a TypedDict, or a list of something.
    """

    kind: Any
    _adapter: TypeAdapter[Any] = field(init=False)
    _own: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.kind, include_extras=True) if _is_object(self.kind) else {}
        object.__setattr__(self, "_own", frozenset(k for k, v in hints.items() if v == Own))
        object.__setattr__(self, "_adapter", TypeAdapter(self.kind))

    def read(self, call: Call) -> Document:
        """The body as an object, without nulls and the system's own fields.

        Raises Refused (400) for anything but JSON, or naming the first field that is wrong.
        """
        sent = self._judge(call)
        return {name: value for name, value in sent.items() if name not in self._own}

    def read_list(self, call: Call) -> list[Any]:
        """The body as a list. Raises Refused as `read` does."""
        listed: list[Any] = self._judge(call)
        return listed

    def _judge(self, call: Call) -> Any:
        try:
            sent = without_nulls(decode(call.raw))
        except ValueError:
            raise bad_request("the body is not valid JSON") from None
        try:
            return self._adapter.validate_python(sent, strict=True, extra="forbid")
        except ValidationError as error:
            raise _refusal(error) from None


def without_nulls(value: Any) -> Any:
    """The same without the fields that are null: to the vendor they are not there."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _is_object(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "__required_keys__")


def _refusal(error: ValidationError) -> Refused:
    kind = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
    return bad_request(complaint(error), _CODES.get(kind, "constraint.validation"))
