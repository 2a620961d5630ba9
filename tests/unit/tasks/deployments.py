"""Web deployments and their configurations, in memory and with the rules of the platform contract.

A draft is stored, and a deployment is live, only after it has been looked at `slow` times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.apis.deployments import Deployment, Draft, Release
from tasks.apis.genesys import AuditRecord
from tasks.errors import Postponed, WorkerError
from tests.unit.tasks import fakes

OURS, THEIRS = "client-of-ours", "user-ann"


@dataclass(kw_only=True)
class FakeDeployments:
    """One configuration and one deployment; `lost` meets the caller of a verb after its effect."""

    published: list[Draft] = field(default_factory=list)
    draft: Draft | None = None
    deployment: Deployment
    slow: int = 0
    lost: dict[str, WorkerError] = field(default_factory=dict)
    refused: dict[str, WorkerError] = field(default_factory=dict)
    #: Runs once before a verb.
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    audit: Sequence[AuditRecord] | None = ()
    writes: list[str] = field(default_factory=list)
    _moment: int = 0
    _looked: int = 0

    def read_draft(self, configuration_id: str) -> Draft | None:
        self._enter("read_draft")
        assert configuration_id == "c-1"
        return self.draft and replace(self.draft, active=self._is_ready())

    def read_published(self, configuration_id: str) -> Draft | None:
        self._enter("read_published")
        assert configuration_id == "c-1"
        return self.published[-1] if self.published else None

    def put_draft(self, configuration_id: str, document: Mapping[str, object]) -> Draft:
        self._enter("put_draft")
        assert configuration_id == "c-1"
        self.writes.append("put_draft")
        self.edit(document, by=OURS)
        self._leave("put_draft")
        assert self.draft
        return replace(self.draft, active=False)

    def publish_draft(self, configuration_id: str) -> str:
        self._enter("publish_draft")
        assert configuration_id == "c-1"
        assert self.draft
        self.writes.append("publish_draft")
        self.publish(self.draft.document)
        self._leave("publish_draft")
        return self.published[-1].version

    def read_deployment(self, deployment_id: str) -> Deployment:
        self._enter("read_deployment")
        if deployment_id != self.deployment.id:
            raise fakes.not_found()
        return replace(self.deployment, active=self._is_ready())

    def put_deployment(self, deployment: Deployment, release: Release) -> None:
        self._enter("put_deployment")
        assert deployment.document == self.deployment.document
        self.writes.append("put_deployment")
        self.deployment = replace(self.deployment, release=release)
        self._looked = 0
        self._leave("put_deployment")

    def live_release(self, deployment_id: str) -> Release | None:
        assert deployment_id == self.deployment.id
        return self.deployment.release if self._is_ready() else None

    def ask_for_changes(self, start: datetime, end: datetime, entity_ids: Sequence[str]) -> str:
        self._enter("ask_for_changes")
        assert start < end
        return "query-of-" + "-and-".join(entity_ids)

    def changes(self, query_id: str) -> Iterator[AuditRecord] | None:
        assert query_id == "query-of-c-1-and-d-1"
        return None if self.audit is None else iter(self.audit)

    def edit(self, document: Mapping[str, object], *, by: str = THEIRS) -> None:
        """Change the draft, as an administrator does."""
        self.draft = self._version("draft", document, by)
        self._looked = 0

    def publish(self, document: Mapping[str, object]) -> None:
        """Make a version, as an administrator does."""
        self.published.append(self._version(str(len(self.published) + 1), document, THEIRS))

    def _version(self, version: str, document: Mapping[str, object], by: str) -> Draft:
        self._moment += 1
        at = f"2026-05-01T12:{self._moment:02}:00Z"
        return Draft(
            document=document, version=version, modified_at=at, modified_by=by, active=True
        )

    def _is_ready(self) -> bool:
        self._looked += 1
        return self._looked > self.slow

    def _enter(self, verb: str) -> None:
        self.meanwhile.pop(verb, lambda: None)()
        if refusal := self.refused.get(verb):
            raise refusal

    def _leave(self, verb: str) -> None:
        if error := self.lost.pop(verb, None):
            raise error


def not_taken(deadline: float) -> Postponed:
    """Return what an adapter raises for a 400 that may mean "not yet"."""
    return Postponed("genesys answered 400", wait=2, deadline=deadline)
