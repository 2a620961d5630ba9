"""NICE CXone by the `guide` contract: customer attributes as typed name–value pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.apis import answers
from tasks.apis.calls import Call
from tasks.apis.customers import CustomerAttribute
from tasks.apis.http import Http

SCOPES = "customer.profile:write customer.profile:read"


@dataclass(frozen=True, kw_only=True)
class CxoneGuide:
    """Implements the `CustomerStore` seam on the guide's `PUT …/attributes`."""

    http: Http

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
