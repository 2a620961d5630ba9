"""What a tenant allows to be done with its Cognigy profiles."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: The form of the vendor's ids, of profiles and projects.
ID_PATTERN = r"^[a-z0-9]{24}$"


class CognigySettings(BaseModel):
    """A part of the table `[tenants.NAME.sync]` with `target = "cognigy"`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Make a profile in the project where the one that is asked for does not exist (any more: the
    #: vendor's expire after 30 days without use). The new one has another id, which is remembered.
    create_missing: bool = False
    project_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    #: [?] Whether a null in a PATCH takes a field away. Without it none are removed.
    null_removes: bool = False

    @model_validator(mode="after")
    def _knows_where_to_create(self) -> Self:
        if self.create_missing and not self.project_id:
            raise ValueError("project_id: is required with create_missing")
        return self
