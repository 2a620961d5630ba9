"""The customers of CXone Digital Engagement as a store to sync to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.apis.customers import Customer, CustomerAttribute, Definition, Shape
from tasks.apis.cxone import custom_fields
from tasks.apis.cxone.definitions import read_definitions
from tasks.apis.cxone.discovery import Discovery
from tasks.apis.cxone.settings import DigitalSettings
from tasks.apis.http import Http
from tasks.apis.records import RecordRate
from tasks.apis.remembered import Remembered
from tasks.errors import NotFound, Unconfirmed, Unsupported
from tasks.wire_values import as_text

LONGEST = 1_024


@dataclass(frozen=True, kw_only=True)
class CxoneDigital:
    """Implements the `CustomerStore` seam on a customer's custom fields, for one attempt.

    `defined` remembers definitions by client; writes of one customer keep to `rate`. What was read
    of a customer serves its next write.
    """

    http: Http
    settings: DigitalSettings
    discovery: Discovery | None
    defined: Remembered[Mapping[str, Definition]]
    rate: RecordRate
    _read: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> Shape:
        return Shape(
            target="cxone",
            types=frozenset({"string"}),
            longest=LONGEST,
            names_fold_case=False,
            partial=self.settings.replaces == "named",
            readable=True,
            creates=self.settings.unknown_customer == "created",
            removes=True,
        )

    def definitions(self) -> Mapping[str, Definition]:
        http = self._located()
        return self.defined.get(http.endpoint.owner, lambda: read_definitions(http))

    def read(self, customer_id: str) -> Customer | None:
        try:
            values = custom_fields.read_fields(self._located(), customer_id)
        except NotFound:
            return None
        self._read[customer_id] = values
        return Customer(id=customer_id, attributes=values)

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        self.rate.take(customer_id)
        self._put(customer_id, self._others(customer_id), attributes)

    def create(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        if not self.shape.creates:
            raise Unsupported('sync: no customer is made without unknown_customer = "created"')
        if self.read(customer_id):
            self.put_attributes(customer_id, attributes)
        else:
            self.rate.take(customer_id)
            self._put(customer_id, {}, attributes)

    def remove(self, customer_id: str, names: Sequence[str]) -> None:
        found = self.read(customer_id)
        for name in (name for name in names if found and name in found.attributes):
            self.rate.take(customer_id)
            custom_fields.delete_field(self._located(), customer_id, name)

    def _others(self, customer_id: str) -> Mapping[str, str]:
        """Return the fields that have to be sent along for a write to lose none."""
        known = self._read.pop(customer_id, None)
        if self.shape.partial:
            return {}
        if known is None:
            return custom_fields.read_fields(self._located(), customer_id)
        return known

    def _put(
        self, customer_id: str, others: Mapping[str, str], attributes: Sequence[CustomerAttribute]
    ) -> None:
        meant = {each.name: as_text(each.value) for each in attributes}
        http = self._located()
        custom_fields.put_fields(http, customer_id, {**others, **meant})
        if self.settings.reads_back:
            found = custom_fields.read_fields(http, customer_id)
            # A field that was emptied may be read back as none at all.
            if any(found.get(name, "") != value for name, value in meant.items()):
                raise Unconfirmed("custom fields", "cxone")

    def _located(self) -> Http:
        return self.discovery.located(self.http) if self.discovery else self.http
