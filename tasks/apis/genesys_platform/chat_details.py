"""Message conversations as analytics tells them: who was in them, and when customers left.

A customer has left with the end of the last segment of the last message session, whatever others
still do in the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from tasks.apis.bodies import Body
from tasks.apis.history import Chat, Guest

CUSTOMERS = ("customer", "external")
MESSAGE = "message"


class _Segment(Body):
    segment_start: AwareDatetime | None = None
    segment_end: AwareDatetime | None = None
    disconnect_type: str = ""
    queue_id: str = ""


class _Session(Body):
    session_id: str = ""
    media_type: str = ""
    message_type: str = ""
    direction: str = ""
    provider: str = ""
    segments: list[_Segment] = []


class _Participant(Body):
    participant_id: str
    purpose: str = ""
    external_contact_id: str = ""
    sessions: list[_Session] = []

    @property
    def messages(self) -> list[_Session]:
        return [each for each in self.sessions if each.media_type == MESSAGE]

    def guest(self, conversation_end: datetime | None) -> Guest:
        """Return the customer's part; everybody has left with the end of the conversation."""
        parts = [(session, part) for session in self.messages for part in session.segments]
        begun = [part.segment_start for _, part in parts if part.segment_start]
        ended = [(part.segment_end, at) for at, (_, part) in enumerate(parts) if part.segment_end]
        left, at = max(ended) if ended and len(ended) == len(parts) else (conversation_end, -1)
        session, last = parts[at] if parts else (self.messages[-1], _Segment())
        return Guest(
            id=self.participant_id,
            purpose=self.purpose,
            joined=min(begun, default=None),
            left=left,
            contact_id=self.external_contact_id,
            session_id=session.session_id,
            provider=session.provider,
            direction=session.direction,
            message_type=session.message_type,
            disconnect_type=last.disconnect_type,
        )


class Conversation(Body):
    """One of the conversations that a query or a job answers with."""

    conversation_id: str
    conversation_start: AwareDatetime | None = None
    conversation_end: AwareDatetime | None = None
    participants: list[_Participant] = []

    def value(self) -> Chat:
        """Return it as the seam tells it."""
        segments = [
            segment
            for participant in self.participants
            for session in participant.messages
            for segment in session.segments
        ]
        return Chat(
            id=self.conversation_id,
            over=self.conversation_end is not None,
            ended=self.conversation_end,
            guests=[
                each.guest(self.conversation_end)
                for each in self.participants
                if each.purpose in CUSTOMERS and each.messages
            ],
            queues=_distinct(each.queue_id for each in segments),
            contacts=_distinct(each.external_contact_id for each in self.participants),
        )


def _distinct(names: Iterable[str]) -> list[str]:
    return [each for each in dict.fromkeys(names) if each]
