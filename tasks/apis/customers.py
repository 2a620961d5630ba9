"""The customer-store seam: where `sync_profile` writes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

ValueType = Literal["string", "number", "boolean", "date"]


@dataclass(frozen=True, kw_only=True)
class CustomerAttribute:
    """One attribute as the store gets it; a `date` is an ISO 8601 text."""

    name: str
    type: ValueType
    value: str | Decimal | bool = field(repr=False)


class CustomerStore(Protocol):
    """A store of customer profiles."""

    def put_attributes(self, customer_id: str, attributes: Sequence[CustomerAttribute]) -> None:
        """Set `attributes` on the customer, leaving others alone. Idempotent."""
        ...
