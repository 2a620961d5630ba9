"""The deployment seam: a configuration is drafted, published, and given to a web deployment.

Only the `platform` contract has it. Every verb may raise the `ApiError` of its answer or
`Postponed`; what the API has not finished yet is said by `active`, never waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tasks.apis.genesys import AuditRecord


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version of a configuration that a deployment may have: as text `configuration:version`."""

    configuration_id: str
    version: str

    def __str__(self) -> str:
        return f"{self.configuration_id}:{self.version}"

    @classmethod
    def parse(cls, text: str) -> Release:
        """Return the release that `text` names; raise `ValueError` where it names none."""
        configuration_id, colon, version = text.rpartition(":")
        if not (configuration_id and colon and version):
            raise ValueError("must be CONFIGURATION:VERSION")
        return cls(configuration_id=configuration_id, version=version)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The draft of a configuration, which all administrators share, or a published version of it.

    `modified_at` (the vendor's text) and `modified_by` (a user or client id) tell a foreign change;
    `active` is whether the API has finished storing it. `version` is `draft` or a number as text.
    """

    document: Mapping[str, object]
    version: str
    modified_at: str
    modified_by: str
    active: bool


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A web deployment with its whole `document`, and the release that it has been given."""

    id: str
    release: Release
    document: Mapping[str, object]
    active: bool


class Deployments(Protocol):
    """Web messaging configurations by draft and version, and the deployments that show them."""

    def read_draft(self, configuration_id: str) -> Draft | None:
        """Return the draft, None where the API shows none (yet)."""
        ...

    def read_published(self, configuration_id: str) -> Draft | None:
        """Return the newest published version, None where nothing has been published."""
        ...

    def put_draft(self, configuration_id: str, document: Mapping[str, object]) -> Draft:
        """Replace the draft. The API has no version to put it under: lock, and compare after."""
        ...

    def publish_draft(self, configuration_id: str) -> str:
        """Make the draft a version, and return that version."""
        ...

    def read_deployment(self, deployment_id: str) -> Deployment: ...

    def put_deployment(self, deployment: Deployment, release: Release) -> None:
        """Give the deployment, as it was read, another release."""
        ...

    def live_release(self, deployment_id: str) -> Release | None:
        """Return what the deployment shows to guests, None where that cannot be seen yet."""
        ...

    def ask_for_changes(self, start: datetime, end: datetime, entity_ids: Sequence[str]) -> str:
        """Ask the audit for the changes of these configurations and deployments; return its id."""
        ...

    def changes(self, query_id: str) -> Iterator[AuditRecord] | None:
        """Return the audit's answer, None while it is working on it."""
        ...
