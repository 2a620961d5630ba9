"""NICE CXone as the guides describe it: a customer's attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from workers.sandbox.call import Answer, Body, Call, Route, overlay
from workers.sandbox.errors import Refused
from workers.sandbox.wire import digest
from workers.sandbox.world import find

MOST_ATTRIBUTES = 256
LONGEST_STRING = 1024
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?")


class Attribute(Body):
    """One attribute; whether `type` and `value` agree is a rule, not a matter of shape."""

    name: str
    value: Any
    type: str


class AttributesUpsert(Body):
    """Body of `PUT /customers/{customerId}/attributes`."""

    attributes: list[Attribute]


def put_attributes(call: Call) -> Answer:
    """`PUT /api/v2/customers/{customerId}/attributes`: adds or replaces those named."""
    asked = call.body(AttributesUpsert).attributes
    customer_id = call.path["customerId"]
    customer = find(call.organization.customers, "customer", customer_id)
    _check(asked)
    old = customer["attributes"]
    new = {each.name: {"value": each.value, "type": each.type} for each in asked}
    call.effect(
        "customer.attributes",
        customer_id,
        names=sorted(new),
        changed=sorted(name for name in new if old.get(name) != new[name]),
        sha256={name: digest(each["value"]) for name, each in new.items()},
    )
    customer["attributes"] = {**old, **new}
    return Answer(body={"customerId": customer_id, "updated": len(new)})


def read_attributes(call: Call) -> Answer:
    """`GET /api/v2/customers/{customerId}/attributes` → `{customerId, attributes}`."""
    customer_id = call.path["customerId"]
    attributes = find(call.organization.customers, "customer", customer_id)["attributes"]
    listed = [{"name": name, **each} for name, each in attributes.items()]
    return Answer(body={"customerId": customer_id, "attributes": listed})


def _check(asked: list[Attribute]) -> None:
    if not 1 <= len(asked) <= MOST_ATTRIBUTES:
        raise _broken(f"attributes: must hold from 1 to {MOST_ATTRIBUTES}")
    seen: set[str] = set()
    for each in asked:
        if not each.name.strip():
            raise _broken("attributes: a name must not be empty")
        if each.name in seen:
            raise _broken(f"attributes: the name '{each.name}' occurs twice")
        seen.add(each.name)
        _check_value(each)


def _check_value(each: Attribute) -> None:
    if each.type not in _AGREES:
        raise _broken(f"{each.name}: type '{each.type}' must be one of {', '.join(_AGREES)}")
    if not _AGREES[each.type](each.value):
        # As the real one does, the text quotes the value: clients have to mask it.
        raise _broken(f"{each.name}: value '{each.value}' is not a {each.type}")
    if isinstance(each.value, str) and len(each.value) > LONGEST_STRING:
        raise _broken(f"{each.name}: value is longer than {LONGEST_STRING} characters")


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_AGREES = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, Decimal)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
}


def _broken(description: str) -> Refused:
    return Refused(422, "unprocessable.entity", description, errorDescription=description)


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    overlay(call.organization.customers[call.path["customerId"]], changes)
    call.effect("foreign.write", call.path["customerId"])


ROUTES = (
    Route(
        method="PUT",
        path="/api/v2/customers/{customerId}/attributes",
        scope="customer.profile:write",
        handle=put_attributes,
        foreign=_change,
        writes="customers",
    ),
    Route(
        method="GET",
        path="/api/v2/customers/{customerId}/attributes",
        scope="customer.profile:read",
        handle=read_attributes,
        foreign=_change,
        writes="customers",
    ),
)
