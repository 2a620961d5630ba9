"""What a tenant wants redacted, and how long a live interaction is waited for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tasks.pii.findings import ENTITIES, Entity


class RedactionRules(BaseModel):
    """The table `[tenants.NAME.redaction]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entities: Annotated[tuple[Entity, ...], Field(min_length=1)] = ENTITIES
    #: Seconds until a live interaction is looked at again.
    live_wait_seconds: Annotated[float, Field(gt=0)] = 60.0
    #: Seconds since the first attempt after which one that is still live is given up.
    live_deadline_seconds: Annotated[float, Field(gt=0)] = 86_400.0
