"""The custom fields that a tenant has defined for its customers."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from tasks.apis import answers
from tasks.apis.bodies import Body
from tasks.apis.calls import Call
from tasks.apis.customers import Definition
from tasks.apis.http import Http

#: How long (seconds) definitions are remembered.
LIFE = 300.0


class _FieldDefinition(Body):
    """`{ident, label, type, isRequired, values[]}`."""

    ident: str
    type: str = "text"
    is_required: bool = False
    values: frozenset[str] = frozenset()


_LIST = TypeAdapter(list[_FieldDefinition])


def read_definitions(http: Http) -> Mapping[str, Definition]:
    """Return the definitions by `ident`. Raises the `ApiError` of the answer."""
    call = Call(
        method="GET",
        route="/dfo/3.0/customers/custom-field-definitions",
        needs="the right to read custom fields",
    )
    answer = http.call(call)
    try:
        listed = _LIST.validate_python(answer.body)
    except ValidationError:
        raise answers.unknown(http.endpoint.system, call, answer.status) from None
    return {
        each.ident: Definition(
            name=each.ident, type=each.type, required=each.is_required, values=each.values
        )
        for each in listed
    }
