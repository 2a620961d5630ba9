"""Bodies of answers, read through a pydantic model of the vendor's shape."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from tasks.apis import answers
from tasks.apis.calls import Answer, Call
from tasks.apis.http import Http


class Body(BaseModel):
    """A part of a vendor's body: camelCase outside, snake_case inside, other fields ignored.

    A null is as good as no field, and no repr shows a value.
    """

    model_config = ConfigDict(alias_generator=to_camel, hide_input_in_errors=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None}

    def __repr_args__(self) -> tuple[()]:
        return ()


B = TypeVar("B", bound=Body)


def read_as(shape: type[B], http: Http, call: Call) -> B:
    """Send `call` and return its body as `shape`.

    Raises what `Http.call` raises, and `OutcomeUnknown` where the body has another shape.
    """
    return parse(shape, http, call, http.call(call))


def parse(shape: type[B], http: Http, call: Call, answer: Answer) -> B:
    """Return the body of `answer` as `shape`, or raise `OutcomeUnknown`."""
    try:
        return shape.model_validate(answer.body)
    except ValidationError:
        raise answers.unknown(http.endpoint.system, call, answer.status) from None
