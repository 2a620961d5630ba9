"""What a tenant wants redacted, and how long a live interaction is waited for."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tasks.fields import EntityName
from tasks.pii import context, placeholders
from tasks.pii.custom import Checksum, TenantDetector
from tasks.pii.findings import ENTITIES, Entity
from tasks.pii.linear import Unfit, compiled
from tasks.pii.names import ENTITIES as NAMED
from tasks.pii.names import MODEL, Names, missing
from tasks.pii.search import Search

#: Names that a tenant's own entity cannot have.
TAKEN = frozenset({*ENTITIES, *NAMED, "reference", "redacted"})

#: A key that cannot be guessed: phone numbers are few enough to try them all against a hash.
MIN_KEY = 32


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TenantEntity(_Table):
    """The table `[[tenants.NAME.redaction.entity]]`: a kind of personal data of the tenant's own.

    `pattern` is a regular expression that has to be linear (`tasks.pii.linear`). With `context`, a
    match counts only near one of these words, or as the answer to a question with one of them.
    """

    name: EntityName
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    context: tuple[Annotated[str, Field(pattern=r"\w", max_length=100)], ...] = ()
    checksum: Checksum = "none"

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if self.name in TAKEN:
            raise ValueError(f"{self.name}: name: is an entity already")
        try:
            compiled(self.pattern)
        except Unfit as error:
            raise ValueError(f"{self.name}: pattern: {error}") from None
        return self

    def detector(self) -> TenantDetector:
        """Return what finds it."""
        return TenantDetector(
            name=self.name,
            pattern=compiled(self.pattern),
            words=context.words(self.context) if self.context else None,
            checksum=self.checksum,
        )


class RedactionRules(_Table):
    """The table `[tenants.NAME.redaction]`."""

    entities: Annotated[tuple[Entity, ...], Field(min_length=1)] = ENTITIES
    entity: tuple[TenantEntity, ...] = ()
    #: What stands in the place of personal data: `[REDACTED]`, `[EMAIL]`, or `[EMAIL:…]`.
    placeholder: placeholders.Style = "redacted"
    #: The key of the hashes, the tenant's own; in the table, `key_env` names its variable.
    key: Annotated[SecretStr, Field(min_length=MIN_KEY)] | None = None
    #: Whose rules they are: tenants that share a key share no hashes.
    tenant: str = ""
    #: Whether names of people and places are looked for, by a model that has to be installed.
    names: bool = False
    names_model: Annotated[str, Field(pattern=r"^[a-z]{2}_\w+$")] = MODEL
    #: Seconds until a live interaction is looked at again.
    live_wait_seconds: Annotated[float, Field(gt=0)] = 60.0
    #: Seconds since the first attempt after which one that is still live is given up.
    live_deadline_seconds: Annotated[float, Field(gt=0)] = 86_400.0

    @model_validator(mode="after")
    def _can_be_applied(self) -> Self:
        if self.placeholder == "hash" and self.key is None:
            raise ValueError("key_env: is required where placeholder is hash")
        own = [each.name for each in self.entity]
        if len(set(own)) != len(own):
            raise ValueError("entity: two have the same name")
        if self.names and (need := missing(self.names_model)):
            raise ValueError(f"names: {need}")
        return self

    @property
    def known(self) -> frozenset[str]:
        """The entities that a message may ask for."""
        own = (each.name for each in self.entity)
        return frozenset({*ENTITIES, *own, *(NAMED if self.names else ())})

    @cached_property
    def search(self) -> Search:
        """What is looked for in a conversation, and what stands in its place."""
        own = tuple(each.detector() for each in self.entity)
        labels = NAMED if self.names else ()
        return Search(
            entities=(*self.entities, *(each.name for each in own), *labels),
            own=own,
            others=(Names(model=self.names_model),) if self.names else (),
            labels=labels,
            placeholder=self._placeholder(),
        )

    def _placeholder(self) -> placeholders.Placeholder:
        if self.key and self.placeholder == "hash":
            return placeholders.Hash.of(self.key.get_secret_value(), self.tenant)
        return placeholders.label if self.placeholder == "label" else placeholders.redacted
