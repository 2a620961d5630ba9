"""The Genesys Cloud seam: the verbs the use cases need, and the values they exchange.

Each use case asks for the smallest protocol it needs; an API contract implements all of them.
Every verb may raise the `ApiError` of its answer or `Postponed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tasks.apis.capabilities import Capabilities
from tasks.compact_json import Json


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A guest profile: its custom attributes and the ids of the profiles merged into it."""

    id: str
    attributes: Mapping[str, object] = field(repr=False)
    links: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What a person said about one purpose (`marketing`, `recording`, …)."""

    purpose: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A party of a conversation.

    `roles` are the names that a message may ask for it by; `state` is `connected`, `ringing`, or
    the vendor's word for any other.
    """

    id: str
    roles: frozenset[str]
    state: str
    attributes: Mapping[str, object] = field(repr=False)
    last_updated: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A contact and its attributes; values are what JSON can hold, numbers kept as `Decimal`."""

    id: str
    attributes: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """An organisation's web messaging configuration, under the version it was read with."""

    version: str
    document: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Replication:
    """A replication job; `status` is the vendor's word, `skipped` the targets left alone."""

    state: Literal["running", "completed", "failed"]
    status: str
    skipped: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One change as the vendor's audit knows it; `at` is its ISO 8601 time."""

    action: str
    organization_id: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """A digital interaction; `state` is the vendor's word, its messages have all their fields."""

    id: str
    state: str
    messages: Sequence[Mapping[str, object]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of a redacted transcript.

    `replaced` is whether the interaction's own messages are the redacted ones; `steps` says, for
    the outcome, what else was done and what was not.
    """

    replaced: bool
    steps: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InteractionPage:
    """Ids of interactions, and the cursor of the next page, None at the end."""

    ids: Sequence[str]
    next_cursor: str | None


class Contract(Protocol):
    """What every seam of a contract declares."""

    @property
    def capabilities(self) -> Capabilities: ...


class Profiles(Contract, Protocol):
    """Guest profiles, their consents, and their merge."""

    def read_profile(self, profile_id: str) -> Profile: ...

    def read_consents(self, profile_id: str) -> Sequence[Consent]: ...

    def merge(self, target_id: str, source_ids: Sequence[str], policy: str) -> str:
        """Merge the sources into the target and return the surviving profile's id."""
        ...


class Participants(Contract, Protocol):
    """Participants of live conversations."""

    def participants(self, conversation_id: str) -> Iterator[Participant]: ...

    def read_participant(self, conversation_id: str, participant_id: str) -> Participant: ...

    def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        """Merge `attributes` into the participant's."""
        ...


class Contacts(Protocol):
    """Contacts as the source of a profile sync."""

    def read_contact(self, contact_id: str) -> Contact: ...


class Configurations(Protocol):
    """Web messaging configurations of organisations, their replication and their audit."""

    def read_configuration(self, organization_id: str) -> Configuration | None:
        """Return the configuration, None where there is none or the API offers no reading."""
        ...

    def put_configuration(
        self, organization_id: str, document: Mapping[str, object], version: str
    ) -> str | None:
        """Replace the configuration of this version and return the next one, if told.

        Version `0` is that of no configuration. Raises `StateChanged` for any other version.
        """
        ...

    def replicate(
        self, source_id: str, target_ids: Sequence[str], *, overwrite_existing: bool
    ) -> str | None:
        """Have the source's configuration copied; return the job's id, None if there is none."""
        ...

    def read_replication(self, job_id: str) -> Replication: ...

    def configuration_changes(
        self, organization_ids: Sequence[str], start: datetime, end: datetime
    ) -> Iterator[AuditRecord]: ...


class Interactions(Protocol):
    """Digital interactions and their messages."""

    def completed_interactions(
        self, *, since: datetime | None, until: datetime, page_size: int, cursor: str | None
    ) -> InteractionPage:
        """Return one page of the completed web messaging interactions that started in a time."""
        ...

    def read_interaction(self, interaction_id: str) -> Interaction: ...

    def keep_redacted(
        self, interaction: Interaction, messages: Sequence[Mapping[str, object]]
    ) -> Kept:
        """Let the redacted `messages` take the place of the interaction's, as far as that can be.

        `interaction` is as it was read. Safe to repeat.
        """
        ...


class Genesys(Profiles, Participants, Contacts, Interactions, Protocol):
    """What every contract offers of Genesys Cloud, each within its capabilities."""
