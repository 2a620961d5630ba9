"""Participants of live conversations, by the `platform` contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks import errors
from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Participant
from tasks.apis.http import Http

CONVERSATION = "/api/v2/conversations/{conversation_id}"
VIEW = "conversation:communication:view"

#: By purpose, the further names that a message may ask for a participant by.
ROLES = {"agent": {"user"}, "user": {"user"}, "external": {"customer"}}

#: States of a communication that is about to be connected.
RINGING = frozenset({"alerting", "contacting", "offering", "dialing", "scheduled"})
#: The state that counts where a participant has several communications, then any other.
PREFERRED = ("connected", "ringing")


class _Communication(Body):
    state: str = ""


class _Participant(Body):
    id: str
    purpose: str = ""
    attributes: dict[str, Any] = {}
    calls: list[_Communication] = []
    callbacks: list[_Communication] = []
    chats: list[_Communication] = []
    cobrowsesessions: list[_Communication] = []
    emails: list[_Communication] = []
    messages: list[_Communication] = []
    internal_messages: list[_Communication] = []
    social_expressions: list[_Communication] = []
    videos: list[_Communication] = []

    def value(self) -> Participant:
        return Participant(
            id=self.id,
            roles=frozenset({self.purpose, *ROLES.get(self.purpose, ())}),
            state=self._state(),
            attributes=self.attributes,
            last_updated="",
        )

    def _state(self) -> str:
        communications = (
            *self.calls,
            *self.callbacks,
            *self.chats,
            *self.cobrowsesessions,
            *self.emails,
            *self.messages,
            *self.internal_messages,
            *self.social_expressions,
            *self.videos,
        )
        states = ["ringing" if c.state in RINGING else c.state for c in communications]
        return next((each for each in PREFERRED if each in states), (states or [""])[-1])


class _Conversation(Body):
    participants: list[_Participant]


@dataclass(frozen=True, kw_only=True)
class PlatformParticipants:
    """Implements the `Participants` seam on conversations of every kind of media."""

    http: Http

    def participants(self, conversation_id: str) -> Iterator[Participant]:
        for each in self._read_conversation(conversation_id).participants:
            yield each.value()

    def read_participant(self, conversation_id: str, participant_id: str) -> Participant:
        """Return the participant. Raises `NotFound` also where the conversation has none such."""
        for each in self.participants(conversation_id):
            if each.id == participant_id:
                return each
        missing = errors.NotFound(
            system=self.http.endpoint.system, method="GET", route=CONVERSATION, status=200
        )
        missing.note = "it has no such participant"
        raise missing

    def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        """Have `attributes` merged into the participant's: accepted at once, seen a while later."""
        self.http.call(
            Call(
                method="PATCH",
                route=f"{CONVERSATION}/participants/{{participant_id}}/attributes",
                ids={"conversation_id": conversation_id, "participant_id": participant_id},
                body={"attributes": dict(attributes)},
                needs="a role in the conversation's division",
                kind="write",
                effect=True,
            )
        )

    def _read_conversation(self, conversation_id: str) -> _Conversation:
        call = Call(
            method="GET",
            route=CONVERSATION,
            ids={"conversation_id": conversation_id},
            needs=VIEW,
        )
        return read_as(_Conversation, self.http, call)
