"""Which attributes of a contact reach the customer store, under which name and type.

A tenant's field map names what is sent; what it does not name is inferred or ignored. All problems
of one contact are reported at once, by attribute name and never by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks import inference, target_rules
from tasks.apis.customers import CustomerAttribute, Definition, Shape, ValueType
from tasks.errors import Rejected
from tasks.identity import IdentityRules
from tasks.refusals import shown_attribute
from tasks.wire_values import WireValue, as_text, holds, plain


class FieldRule(BaseModel):
    """What happens to one source attribute. Without `type` its type is inferred.

    `max_length` counts the characters of the value, written as text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    type: ValueType | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None
    required: bool = False
    drop: bool = False

    @model_validator(mode="after")
    def _drops_nothing_else(self) -> Self:
        if self.drop and self.model_fields_set - {"drop"}:
            raise ValueError("drop: goes with no other setting of the field")
        return self


class SyncRules(IdentityRules):
    """How a tenant's contacts become customers."""

    fields: Mapping[str, FieldRule] = {}
    unmapped: Literal["infer", "ignore"] = "infer"
    #: For so many seconds from the first change of a customer, others join its write; 0: none do.
    coalesce_seconds: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = 2.0


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What is sent, and the names of the attributes that are left out on purpose."""

    attributes: tuple[CustomerAttribute, ...]
    left_out: tuple[str, ...]


def map_attributes(
    source: Mapping[str, object],
    rules: SyncRules,
    shape: Shape | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> Mapped:
    """Return the customer attributes that `source` (name → JSON value) makes under `rules`.

    They fit the target of `shape` and the `definitions` of its fields; without a shape only the
    tenant's own rules count. Raises `Rejected` naming every attribute that collides with another,
    is missing, breaks its rule or is none of the target's.
    """
    taken = {
        name: rules.fields.get(name, _INFERRED)
        for name in source
        if not _is_left_out(name, source, rules)
    }
    problems = [*_missing(source, rules), *_collisions(taken, shape)]
    sent: list[CustomerAttribute] = []
    for name, rule in taken.items():
        target = rule.target or name
        if shape:
            problems += _of(name, target_rules.name_problems(target, shape, definitions))
        try:
            attribute = _attribute(target, source[name], rule, shape)
        except ValueError as error:
            problems += _of(name, [str(error)])
            continue
        if shape:
            problems += _of(name, target_rules.value_problems(attribute, shape, definitions))
        sent.append(attribute)
    if problems:
        raise Rejected("attributes: " + "; ".join(problems))
    left_out = tuple(name for name in source if name not in taken)
    return Mapped(attributes=tuple(sent), left_out=left_out)


_INFERRED = FieldRule()


def _of(name: str, problems: Iterable[str]) -> Iterator[str]:
    return (f"{shown_attribute(name)!r} {problem}" for problem in problems)


def _is_left_out(name: str, source: Mapping[str, object], rules: SyncRules) -> bool:
    rule = rules.fields.get(name)
    return source[name] is None or (rule.drop if rule else rules.unmapped == "ignore")


def _missing(source: Mapping[str, object], rules: SyncRules) -> Iterator[str]:
    required = (name for name, rule in rules.fields.items() if rule.required)
    missing = (name for name in required if source.get(name) is None)
    return (f"{shown_attribute(name)!r} is required and missing" for name in missing)


def _collisions(taken: Mapping[str, FieldRule], shape: Shape | None) -> Iterator[str]:
    """Yield each pair of names that the target would have one field for."""
    first: dict[str, str] = {}
    for name, rule in taken.items():
        target = rule.target or name
        key = target_rules.field_key(target, shape) if shape else target_rules.folded(target)
        twin = first.setdefault(key, name)
        if twin != name:
            both = " and ".join(repr(shown_attribute(each)) for each in (twin, name))
            yield f"{both} both map to {shown_attribute(target)!r}"


def _attribute(
    target: str, value: object, rule: FieldRule, shape: Shape | None
) -> CustomerAttribute:
    """Return the attribute that `value` makes. Raises `ValueError` where it breaks its rule."""
    kind, typed = _typed(value, rule.type)
    if rule.max_length and len(as_text(typed)) > rule.max_length:
        raise ValueError(f"is longer than {rule.max_length} characters")
    if rule.type and shape and isinstance(typed, Decimal) and not holds(typed, shape):
        raise ValueError("is a number that the target does not have: too large, or a fraction")
    return CustomerAttribute(name=target, type=kind, value=typed)


def _typed(value: object, wanted: ValueType | None) -> tuple[ValueType, WireValue]:
    """Return the type and the value of a JSON value; only a text's type has to be inferred."""
    if isinstance(value, str):
        return _convert(value, wanted) if wanted else inference.infer(value)
    if isinstance(value, bool):
        return _convert(as_text(value), wanted or "boolean")
    if isinstance(value, int | Decimal) and Decimal(value).is_finite():
        number = Decimal(value)
        return _convert(plain(number), wanted) if wanted else ("number", number)
    raise ValueError("is neither text, number nor boolean")


def _convert(text: str, wanted: ValueType) -> tuple[ValueType, WireValue]:
    """Return `text` as the type its rule asks for, or raise `ValueError` where it is none."""
    if wanted == "string":
        return wanted, text
    if wanted == "number" and inference.is_plain_number(text):
        return wanted, Decimal(text)
    if wanted == "boolean" and text.lower() in ("true", "false"):
        return wanted, text.lower() == "true"
    if wanted == "date" and inference.is_date(text):
        return wanted, text
    raise ValueError(f"is not a {wanted}")
