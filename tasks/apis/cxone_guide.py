"""NICE CXone by the `guide` contract: customer attributes as typed name–value pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from tasks.apis import answers
from tasks.apis.calls import Call
from tasks.apis.customers import CustomerAttribute, Shape
from tasks.apis.http import Http
from tasks.errors import Unsupported

SCOPES = "customer.profile:write customer.profile:read"

SHAPE = Shape(
    target="cxone-guide",
    types=frozenset({"string", "number", "boolean", "date"}),
    longest=1_024,
    names_fold_case=True,
    partial=True,
    readable=False,
    creates=False,
    removes=False,
)


@dataclass(frozen=True, kw_only=True)
class CxoneGuide:
    """Implements the `CustomerStore` seam on the guide's `PUT …/attributes`, its only verb."""

    http: Http

    @property
    def shape(self) -> Shape:
        return SHAPE

    def definitions(self) -> None:
        return None

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        """Set the attributes. A 422 names those that the answer's `errorDescription` mentions."""
        call = Call(
            method="PUT",
            route="/api/v2/customers/{customer_id}/attributes",
            ids={"customer_id": customer_id},
            body={
                "attributes": [
                    {"name": a.name, "value": a.value, "type": a.type} for a in attributes
                ]
            },
            needs="customer.profile:write",
            kind="write",
            effect=True,
            allowed=frozenset({422}),
        )
        answer = self.http.call(call)
        if answer.status == 422:
            names = [attribute.name for attribute in attributes]
            raise answers.refused(self.http.endpoint.system, call, answer, names)

    def read(self, *_: object) -> NoReturn:
        raise _not_offered("reads no customer")

    def create(self, *_: object) -> NoReturn:
        raise _not_offered("creates no customer")

    def remove(self, *_: object) -> NoReturn:
        raise _not_offered("removes no attribute")


def _not_offered(what: str) -> Unsupported:
    return Unsupported(f"sync: the cxone-guide target {what}; it sets attributes only")
