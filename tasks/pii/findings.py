"""What a detector reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Entity = Literal["email", "phone", "ssn", "credit_card", "ip_address", "iban"]

ENTITIES: tuple[Entity, ...] = get_args(Entity)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Personal data in a text: from `start` up to, not including, `end`.

    `entity` is one of `ENTITIES` or the name of a tenant's own.
    """

    start: int
    end: int
    entity: str
