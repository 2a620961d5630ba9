"""Chats as they were and as they are, by the `platform` contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys_platform.chat_search import ChatSearch
from tasks.apis.genesys_platform.conversation_jobs import milliseconds, moment_of
from tasks.apis.genesys_platform.participants import CONVERSATION, VIEW
from tasks.apis.history import ChatPage, ChatState, Party, Span
from tasks.apis.http import Http


class _Communication(Body):
    id: str = ""


class _Participant(Body):
    id: str
    external_contact_id: str = ""
    attributes: dict[str, Any] = {}
    messages: list[_Communication] = []

    def value(self) -> Party:
        return Party(
            id=self.id,
            attributes={k: v for k, v in self.attributes.items() if isinstance(v, str)},
            communications=[each.id for each in self.messages if each.id],
        )


class _Conversation(Body):
    participants: list[_Participant]


@dataclass(frozen=True, kw_only=True)
class PlatformHistory:
    """Implements the `History` and `ChatStates` seams."""

    http: Http

    def chats(self, span: Span, cursor: str | None) -> ChatPage:
        """Return one page of the message conversations of a span; see `chat_search`."""
        start, end = (moment_of(milliseconds(each)) for each in (span.start, span.end))
        search = ChatSearch(http=self.http, span=replace(span, start=start, end=end))
        return search.page(cursor)

    def read_state(self, chat_id: str) -> ChatState:
        """Return who takes part in the conversation, whether or not it goes on."""
        call = Call(method="GET", route=CONVERSATION, ids={"conversation_id": chat_id}, needs=VIEW)
        found = read_as(_Conversation, self.http, call).participants
        contacts = {each.external_contact_id for each in found if each.external_contact_id}
        return ChatState(parties=[each.value() for each in found], contacts=sorted(contacts))
