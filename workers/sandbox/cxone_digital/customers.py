"""Customers with their custom fields, as they are read and as others change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, find

PATH = "/dfo/3.0/customers/{customerId}"


def customer(call: Call) -> Document:
    """The customer that the path names. Raises Refused (404) for an unknown one."""
    return find(call.organization.cxone_customers, "customer", call.path["customerId"])


def values(held: Mapping[str, Any]) -> dict[str, str]:
    """The values of a customer's custom fields by ident."""
    return {each["ident"]: each["value"] for each in held["customFields"]}


def written(held: Mapping[str, Any], new: Mapping[str, str], now: float) -> list[Document]:
    """A customer's custom fields with the new values laid over them, stamped with `now`."""
    fields = {each["ident"]: each for each in held["customFields"]}
    stamp = iso(now)
    laid = {k: {"ident": k, "value": v, "updatedAt": stamp} for k, v in new.items()}
    return list({**fields, **laid}.values())


def read_customer(call: Call) -> Answer:
    """`GET /dfo/3.0/customers/{id}` → `{id, customFields[{ident, value, updatedAt}], …}`."""
    return Answer(body=customer(call))


def change(call: Call, changes: Mapping[str, Any]) -> None:
    """Another writer's hand: lay custom fields over a customer's, by ident."""
    held = customer(call)
    new = {each["ident"]: each["value"] for each in changes.get("customFields", ())}
    held["customFields"] = written(held, new, call.now)
    call.effect("foreign.write", held["id"], names=sorted(new))


ROUTES = (
    Route(method="GET", path=PATH, handle=read_customer, foreign=change, writes="cxoneCustomers"),
)
