"""Custom fields of a customer: writing several, deleting one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from workers.sandbox.call import Answer, Body, Call, Route
from workers.sandbox.cxone_digital import customers
from workers.sandbox.cxone_digital.errors import invalid, problem
from workers.sandbox.cxone_digital.field_rules import missing, problems
from workers.sandbox.errors import Refused, not_found
from workers.sandbox.wire import digest
from workers.sandbox.world import Document

PATH = f"{customers.PATH}/custom-fields"


class CustomField(Body):
    """One of the fields of a PUT; every value is a string, whatever the field's type."""

    ident: str
    value: str


def put_custom_fields(call: Call) -> Answer:
    """`PUT …/custom-fields` `[{ident, value}]` → 204: all of them or none.

    Options say whether the other fields stay, and what becomes of unknown fields and customers
    (the vendor's answers are not known [?]).
    """
    held = _to_write(call)
    new = _asked(call)
    kept = customers.values(held) if call.options.dfo_put == "partial" else {}
    definitions = call.organization.cxone_definitions
    found = [*problems(new, definitions), *missing({**kept, **new}, definitions)]
    if found:
        raise invalid(found)
    _keep(call, held, new, kept)
    return Answer(status=204)


def delete_custom_field(call: Call) -> Answer:
    """`DELETE …/custom-fields/{ident}` → 204; 404 where the customer has no such field."""
    held, ident = _to_write(call), call.path["ident"]
    left = customers.values(held)
    if left.pop(ident, None) is None:
        raise not_found("custom field", ident)
    definitions = call.organization.cxone_definitions
    if found := [each for each in missing(left, definitions) if each["field"] == ident]:
        raise invalid(found)
    held["customFields"] = [each for each in held["customFields"] if each["ident"] != ident]
    call.effect("cxone.field_deleted", held["id"], names=[ident])
    return Answer(status=204)


def _to_write(call: Call) -> Document:
    """The customer, known or about to be, whose bucket has been charged."""
    customer_id = call.path["customerId"]
    if call.options.dfo_unknown_customer == "create":
        held = call.organization.cxone_customers.get(customer_id, {"id": customer_id})
        held.setdefault("customFields", [])
    else:
        held = customers.customer(call)
    burst, refill = call.options.dfo_record_burst, call.options.dfo_record_per_minute
    buckets = call.organization.cxone_buckets
    if not buckets.take(customer_id, burst=burst, per_minute=refill, now=call.now):
        raise Refused(429, "record.limit.exceeded", "too many updates of this customer")
    return held


def _asked(call: Call) -> dict[str, str]:
    """The values by ident. Raises Refused: 400 out of shape, 422 where a field occurs twice."""
    sent = call.bodies(CustomField)
    counted = Counter(each.ident for each in sent)
    if twice := [ident for ident, count in counted.items() if count > 1]:
        raise invalid([problem(ident, "ident.duplicate", "occurs twice") for ident in twice])
    ignored = call.options.dfo_unknown_ident == "ignore"
    known = call.organization.cxone_definitions
    return {each.ident: each.value for each in sent if each.ident in known or not ignored}


def _keep(call: Call, held: Document, new: Mapping[str, str], kept: Mapping[str, str]) -> None:
    old = customers.values(held)
    created = held["id"] not in call.organization.cxone_customers
    staying = {**held, "customFields": held["customFields"] if kept else []}
    call.organization.cxone_customers[held["id"]] = held
    held["customFields"] = customers.written(staying, new, call.now)
    call.effect(
        "cxone.fields_put",
        held["id"],
        names=sorted(new),
        changed=sorted(ident for ident in new if old.get(ident) != new[ident]),
        lost=sorted(old.keys() - new.keys() - kept.keys()),
        created=created,
        sha256={ident: digest(value) for ident, value in new.items()},
    )


ROUTES = (
    Route(
        method="PUT",
        path=PATH,
        handle=put_custom_fields,
        foreign=customers.change,
        writes="cxoneCustomers",
    ),
    Route(method="DELETE", path=f"{PATH}/{{ident}}", handle=delete_custom_field),
)
