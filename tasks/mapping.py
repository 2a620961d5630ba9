"""Which attributes of a contact reach the customer store, under which name and type.

A tenant's field map names what is sent; what it does not name is inferred or ignored. All problems
of one contact are reported at once, by attribute name and never by value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks import inference
from tasks.apis.customers import CustomerAttribute, ValueType
from tasks.errors import Rejected
from tasks.identity import IdentityRules

Value = str | Decimal | bool

#: A number beyond so many digits before or after its point keeps its exponent as a text.
LONGEST_PLAIN = 400


class FieldRule(BaseModel):
    """What happens to one source attribute. Without `type` its type is inferred."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    type: ValueType | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None
    required: bool = False
    drop: bool = False


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


def map_attributes(source: Mapping[str, object], rules: SyncRules) -> Mapped:
    """Return the customer attributes that `source` (name → JSON value) makes under `rules`.

    Raises `Rejected` naming every attribute that collides, is missing or breaks its rule.
    """
    sent: dict[str, CustomerAttribute] = {}
    left_out: list[str] = []
    problems = _missing(source, rules)
    origin: dict[str, str] = {}
    for name, value in source.items():
        rule = rules.fields.get(name)
        if value is None or _is_ignored(rule, rules):
            left_out.append(name)
            continue
        rule = rule or FieldRule()
        target = rule.target or name
        twin = origin.setdefault(_normal(target), name)
        if twin != name:
            problems.append(f"{twin!r} and {name!r} both map to {target!r}")
            continue
        try:
            sent[name] = _attribute(target, value, rule)
        except ValueError as error:
            problems.append(f"{name!r} {error}")
    if problems:
        raise Rejected("attributes: " + "; ".join(problems))
    return Mapped(attributes=tuple(sent.values()), left_out=tuple(left_out))


def _missing(source: Mapping[str, object], rules: SyncRules) -> list[str]:
    return [
        f"{name!r} is required and missing"
        for name, rule in rules.fields.items()
        if rule.required and source.get(name) is None
    ]


def _is_ignored(rule: FieldRule | None, rules: SyncRules) -> bool:
    return rule.drop if rule else rules.unmapped == "ignore"


def _normal(name: str) -> str:
    """Return the form under which a store may hold two names for one."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def _attribute(target: str, value: object, rule: FieldRule) -> CustomerAttribute:
    kind, typed = _typed(value, rule.type)
    if rule.max_length and isinstance(typed, str) and len(typed) > rule.max_length:
        raise ValueError(f"is longer than {rule.max_length} characters")
    return CustomerAttribute(name=target, type=kind, value=typed)


def _typed(value: object, wanted: ValueType | None) -> tuple[ValueType, Value]:
    """Return the type and the value of a JSON value; only a text's type has to be inferred."""
    if isinstance(value, str):
        return _convert(value, wanted) if wanted else inference.infer(value)
    if isinstance(value, bool):
        return _convert("true" if value else "false", wanted or "boolean")
    if isinstance(value, int | Decimal):
        return _convert(_digits(value), wanted) if wanted else ("number", Decimal(value))
    raise ValueError("is neither text, number nor boolean")


def _digits(value: int | Decimal) -> str:
    number = Decimal(value)
    return format(number, "f") if abs(number.adjusted()) < LONGEST_PLAIN else str(number)


def _convert(text: str, wanted: ValueType) -> tuple[ValueType, Value]:
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
