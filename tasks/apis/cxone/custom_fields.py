"""A customer's custom fields: reading them, setting several, deleting one.

Every value is a string on this wire. The vendor gives no version or ETag: what somebody else writes
between a read and a write is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.apis import answers
from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.http import Http

CUSTOMER = "/dfo/3.0/customers/{customer_id}"
FIELDS = f"{CUSTOMER}/custom-fields"
READ = "the right to read customers"
WRITE = "the right to edit customers"

#: Answers that refuse a body for what stands in it.
REFUSALS = frozenset({400, 422})


class _Field(Body):
    ident: str
    value: str | None = None


class _Customer(Body):
    """`{customFields[{ident, value, updatedAt}], …}`."""

    custom_fields: list[_Field] = []


def read_fields(http: Http, customer_id: str) -> dict[str, str]:
    """Return the values by `ident`, those of empty fields left out.

    Raises `NotFound` for an unknown customer.
    """
    call = Call(method="GET", route=CUSTOMER, ids={"customer_id": customer_id}, needs=READ)
    fields = read_as(_Customer, http, call).custom_fields
    return {each.ident: each.value for each in fields if each.value is not None}


def put_fields(http: Http, customer_id: str, values: Mapping[str, str]) -> None:
    """Set the values by `ident`. Raises `Unprocessable` naming the fields that are refused."""
    call = Call(
        method="PUT",
        route=FIELDS,
        ids={"customer_id": customer_id},
        body=[{"ident": ident, "value": value} for ident, value in values.items()],
        needs=WRITE,
        kind="write",
        effect=True,
        allowed=REFUSALS,
    )
    answer = http.call(call)
    if answer.status in REFUSALS:
        raise answers.refused(http.endpoint.system, call, answer)


def delete_field(http: Http, customer_id: str, ident: str) -> None:
    """Delete the field; one that is not there is as good as deleted."""
    call = Call(
        method="DELETE",
        route=f"{FIELDS}/{{ident}}",
        ids={"customer_id": customer_id, "ident": ident},
        needs=WRITE,
        kind="write",
        effect=True,
        allowed=REFUSALS | {404},
    )
    answer = http.call(call)
    if answer.status in REFUSALS:
        raise answers.refused(http.endpoint.system, call, answer)
