"""What a detector reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import Field

Entity = Literal["email", "phone", "ssn", "credit_card", "ip_address", "iban"]

ENTITIES: tuple[Entity, ...] = get_args(Entity)

#: What an entity may be called: one of these, or a tenant's own.
EntityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Personal data in a text: from `start` up to, not including, `end`.

    `entity` is one of `ENTITIES` or the name of a tenant's own.
    """

    start: int
    end: int
    entity: str
