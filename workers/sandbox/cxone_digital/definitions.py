"""The custom fields that a tenant has defined."""

from __future__ import annotations

from workers.sandbox.call import Answer, Call, Route

PATH = "/dfo/3.0/customers/custom-field-definitions"


def list_definitions(call: Call) -> Answer:
    """`GET …/custom-field-definitions` → `[{ident, label, type, isRequired, values[]}]`."""
    return Answer(body=list(call.organization.cxone_definitions.values()))


ROUTES = (Route(method="GET", path=PATH, handle=list_definitions),)
