"""The Genesys Cloud seam: the verbs the use cases need, and the values they exchange.

Each use case asks for the smallest protocol it needs; an API contract implements all of them.
Every verb may raise the `ApiError` of its answer or `Postponed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A guest profile: its custom attributes and the ids of the profiles merged into it."""

    id: str
    attributes: Mapping[str, object]
    links: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What a person said about one purpose (`marketing`, `recording`, …)."""

    purpose: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A party of a conversation; `state` is the vendor's word (`connected`, `ringing`, …)."""

    id: str
    type: str
    state: str
    attributes: Mapping[str, object]
    last_updated: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A contact and its attributes; values are what JSON can hold, numbers kept as `Decimal`."""

    id: str
    attributes: Mapping[str, object]


class Profiles(Protocol):
    """Guest profiles, their consents, and their merge."""

    def read_profile(self, profile_id: str) -> Profile: ...

    def read_consents(self, profile_id: str) -> Sequence[Consent]: ...

    def merge(self, target_id: str, source_ids: Sequence[str], policy: str) -> str:
        """Merge the sources into the target and return the surviving profile's id."""
        ...


class Participants(Protocol):
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


class Genesys(Profiles, Participants, Contacts, Protocol):
    """All of Genesys Cloud that this project uses."""
