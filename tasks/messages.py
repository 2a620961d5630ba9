"""The public message models: what a producer may put on a queue.

One model per task, validated strictly: unknown fields, other types and unsafe ids are refused.
`parse` turns the keyword arguments of a task message into a model, or raises `Rejected` with one
line that names the field and the rule and never quotes a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.compact_json import compact_json
from tasks.errors import Rejected
from tasks.fields import Attributes, EntityName, Identifier, Moment, distinct
from tasks.refusals import explain
from tasks.webmessaging import WebMessaging

MAX_MESSAGE_BYTES = 262_144
MAX_ATTRIBUTE_BYTES = 1_024
#: A deployment reads and writes each organisation within one budget.
MAX_ORGANIZATIONS = 100
DEFAULT_TENANT = "default"


def _within_1_kb(values: dict[str, str]) -> dict[str, str]:
    if len(compact_json(values)) > MAX_ATTRIBUTE_BYTES:
        raise PydanticCustomError("size", "must be at most 1,024 bytes of UTF-8 JSON")
    return values


class Message(BaseModel):
    """What every message carries besides its own arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    task: ClassVar[str]
    queue: ClassVar[str]

    tenant: Identifier = DEFAULT_TENANT
    #: The idempotency key; without one it is the Celery message's own id.
    operation_id: Identifier | None = None
    #: Goes to logs, audit and the API calls.
    correlation_id: Identifier | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the task message, JSON types only, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


M = TypeVar("M", bound=Message)


class MergeProfiles(Message):
    """Merge guest profiles into a target profile: up to 10, on the `platform` contract 24."""

    task = "merge_profiles"
    queue = "merge"

    source_profile_ids: Annotated[
        list[Identifier], Field(min_length=1, max_length=24), AfterValidator(distinct)
    ]
    target_profile_id: Identifier
    merge_policy: Literal["target_wins", "source_wins", "custom"] = "target_wins"

    @field_validator("target_profile_id")
    @classmethod
    def _is_no_source(cls, value: str, info: ValidationInfo) -> str:
        if value in info.data.get("source_profile_ids", ()):
            raise PydanticCustomError("self_merge", "must not be a source too")
        return value


class MergeAndSync(MergeProfiles):
    """Merge, then sync the surviving profile."""

    task = "merge_and_sync"

    customer_id: Identifier | None = None
    #: The contact to sync, where it is not the surviving profile itself.
    contact_id: Identifier | None = None


class SetAttributes(Message):
    """Set attributes on a participant of a live conversation."""

    task = "set_attributes"
    queue = "attributes"

    conversation_id: Identifier
    attributes: Annotated[Attributes, AfterValidator(_within_1_kb), Field(repr=False)]
    participant_id: Identifier | None = None
    participant_type: Identifier = "user"
    #: An older message never overwrites a newer value of the same key.
    occurred_at: Moment | None = None


class ConfirmAttributes(Message):
    """See that attributes which were accepted have been set; sent by `set_attributes`."""

    task = "confirm_attributes"
    queue = "attributes"

    conversation_id: Identifier
    participant_id: Identifier
    attributes: Annotated[Attributes, Field(repr=False)]
    #: The moment that their values are of: what is newer has taken their place.
    occurred_at: Moment


class SyncProfile(Message):
    """Copy a contact's attributes to the tenant's customer store."""

    task = "sync_profile"
    queue = "sync"

    contact_id: Identifier
    customer_id: Identifier | None = None
    #: The values to sync, where the event already told them; the contact is not read then.
    attributes: Annotated[Attributes | None, Field(repr=False)] = None
    occurred_at: Moment | None = None


class Window(BaseModel):
    """A span of time: `start` counts, `end` does not."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.start >= self.end:
            raise PydanticCustomError("window", "start must be before end")
        return self


class DeployConfig(Message):
    """Deploy a web messaging configuration to organisations, or to a deployment."""

    task = "deploy_config"
    queue = "deploy"

    #: Where it is deployed by the `guide` contract.
    organization_ids: (
        Annotated[
            list[Identifier],
            Field(min_length=1, max_length=MAX_ORGANIZATIONS),
            AfterValidator(distinct),
        ]
        | None
    ) = None
    #: Where it is deployed by the `platform` contract.
    deployment_id: Identifier | None = None
    configuration_id: Identifier | None = None
    config: WebMessaging
    #: Deploy to the first organisation only, and let the API copy it to the others.
    replicate: bool = False
    #: Whether replication replaces a configuration that is there, and a deployment what others
    #: have drafted and not published.
    overwrite_existing: bool = False
    #: Count the changes that the API's audit records of this time.
    audit_window: Window | None = None

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        platform_ids = (self.deployment_id, self.configuration_id)
        if self.organization_ids is None and None in platform_ids:
            raise PydanticCustomError(
                "place",
                "organization_ids: is required, or deployment_id together with configuration_id",
            )
        if self.organization_ids is not None and platform_ids != (None, None):
            raise PydanticCustomError(
                "place", "organization_ids: must not be given with deployment_id, configuration_id"
            )
        return self

    @model_validator(mode="after")
    def _can_be_replicated(self) -> Self:
        if self.replicate and len(self.organization_ids or ()) < 2:
            raise PydanticCustomError(
                "targets", "replicate: needs at least two organization_ids, the source first"
            )
        return self


class ConfirmReplication(Message):
    """Follow a replication until the API has ended it; sent by `deploy_config`."""

    task = "confirm_replication"
    queue = "deploy"

    job_id: Identifier
    source_id: Identifier
    target_ids: list[Identifier]
    requested_at: Moment
    audit_window: Window | None = None


class RollbackDeployment(Message):
    """Put a web deployment back on an earlier release; sent by the command `rollback`."""

    task = "rollback_deployment"
    queue = "deploy"

    deployment_id: Identifier
    #: The release to go back to, as `configuration:version`; the one before its own if left out.
    to: Identifier | None = None


class RedactInteraction(Message):
    """Remove personal data from the messages of a completed interaction."""

    task = "redact_interaction"
    queue = "redact"

    interaction_id: Identifier
    #: What is removed, a tenant's own entities among them; its choice where they are left out.
    entities: (
        Annotated[list[EntityName], Field(min_length=1, max_length=64), AfterValidator(distinct)]
        | None
    ) = None


class RedactCompleted(Message):
    """Redact every completed interaction that started in a span of time, up to this moment."""

    task = "redact_completed"
    queue = "sweep"

    since: Moment | None = None
    until: Moment | None = None
    page_size: Annotated[int, Field(ge=1, le=100)] = 100

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise PydanticCustomError("window", "since: must be before until")
        return self


class SweepPage(RedactCompleted):
    """One further page of a sweep: where it goes on, and what it has found so far."""

    task = "sweep_page"

    until: Moment
    cursor: Annotated[str, Field(min_length=1, max_length=8_192)]
    page: Annotated[int, Field(ge=2)]
    found: Annotated[int, Field(ge=0)]


#: What producers may send.
PUBLIC: dict[str, type[Message]] = {
    model.task: model
    for model in (
        MergeProfiles,
        MergeAndSync,
        SetAttributes,
        SyncProfile,
        DeployConfig,
        RedactInteraction,
        RedactCompleted,
    )
}

#: What only operations send, as follow-ups.
INTERNAL: dict[str, type[Message]] = {
    model.task: model for model in (ConfirmAttributes, ConfirmReplication, SweepPage)
}


def _size(arguments: Mapping[str, Any]) -> int:
    """Return the bytes of `arguments` as JSON in UTF-8, however their sender has escaped them."""
    text = json.dumps(arguments, default=str, ensure_ascii=False)
    return len(text.encode(errors="backslashreplace"))


def parse(model: type[M], arguments: Mapping[str, Any]) -> M:
    """Return the message that `arguments` (a task's keyword arguments) make.

    Raises `Rejected` with one line naming the first broken field and its rule.
    """
    try:
        if _size(arguments) > MAX_MESSAGE_BYTES:
            raise Rejected(f"message: must be at most {MAX_MESSAGE_BYTES:,} bytes")
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        raise Rejected(explain(error)) from None
    except RecursionError:
        raise Rejected("message: must not be nested this deeply") from None
