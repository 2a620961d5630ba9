"""Participants of live conversations, by the `guide` contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Participant
from tasks.apis.http import Http
from tasks.apis.pages import Page, read_all

PARTICIPANTS = "/api/v2/conversations/voice/participants"
PAGE_SIZE = 100


class _Participant(Body):
    id: str
    type: str = ""
    state: str = ""
    participant_attributes: dict[str, Any] = {}
    last_updated: str = ""

    def value(self) -> Participant:
        return Participant(
            id=self.id,
            roles=frozenset({self.type}),
            state=self.state,
            attributes=self.participant_attributes,
            last_updated=self.last_updated,
        )


class _ParticipantPage(Body):
    entities: list[_Participant]
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, kw_only=True)
class GuideParticipants:
    """Implements the `Participants` seam."""

    http: Http

    def participants(self, conversation_id: str) -> Iterator[Participant]:
        """Yield the participants of all pages. Raises what `read_all` raises."""
        return read_all(
            self.http,
            lambda number: self._participant_page(conversation_id, number),
            identity=lambda participant: participant.id,
        )

    def _participant_page(self, conversation_id: str, number: int) -> Page[Participant]:
        call = Call(
            method="GET",
            route=PARTICIPANTS,
            query={
                "conversationId": conversation_id,
                "pageSize": str(PAGE_SIZE),
                "pageNumber": str(number),
            },
            needs="conversation:view",
        )
        body = read_as(_ParticipantPage, self.http, call)
        return Page(
            call=call,
            items=[participant.value() for participant in body.entities],
            full=len(body.entities) >= max(1, body.page_size),
        )

    def read_participant(self, conversation_id: str, participant_id: str) -> Participant:
        call = Call(
            method="GET",
            route=f"{PARTICIPANTS}/{{participant_id}}",
            ids={"participant_id": participant_id},
            query={"conversationId": conversation_id},
            needs="conversation:view",
        )
        return read_as(_Participant, self.http, call).value()

    def set_attributes(
        self,
        conversation_id: str,  # noqa: ARG002  # the guide's path names the participant alone
        participant_id: str,
        attributes: Mapping[str, str],
    ) -> None:
        self.http.call(
            Call(
                method="PATCH",
                route=f"{PARTICIPANTS}/{{participant_id}}",
                ids={"participant_id": participant_id},
                body={"participantAttributes": dict(attributes)},
                needs="conversation:update",
                kind="write",
                effect=True,
            )
        )
