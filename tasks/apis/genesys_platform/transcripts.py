"""Message conversations as they were written: ids by participant, texts in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.apis import answers
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Interaction
from tasks.apis.http import Http

CONVERSATION = "/api/v2/conversations/messages/{conversation_id}"
BULK = 1_000
ENDED = frozenset({"disconnected", "terminated"})


class _Message(Body):
    message_id: str
    message_time: str = ""


class _Contact(Body):
    id: str = ""


class _Participant(Body):
    state: str = ""
    end_time: str = ""
    messages: list[_Message] = []
    external_contact: _Contact = _Contact()

    @property
    def ended(self) -> bool:
        return bool(self.end_time) or self.state in ENDED


class Conversation(Body):
    """A message conversation without its texts."""

    id: str
    participants: list[_Participant] = []

    @property
    def state(self) -> str:
        """`completed` where everybody has left: the vendor has no word for the whole."""
        return "completed" if all(each.ended for each in self.participants) else "live"

    @property
    def message_ids(self) -> list[str]:
        """The distinct ids by time; several participants may name the same message."""
        messages = [message for each in self.participants for message in each.messages]
        messages.sort(key=lambda message: message.message_time)
        return list(dict.fromkeys(message.message_id for message in messages))

    @property
    def contact_ids(self) -> list[str]:
        """The distinct ids of the external contacts that took part."""
        ids = (each.external_contact.id for each in self.participants)
        return list(dict.fromkeys(filter(None, ids)))


class _Listing(Body):
    entities: list[dict[str, Any]] = []


def read_conversation(http: Http, conversation_id: str) -> Conversation:
    call = Call(
        method="GET",
        route=CONVERSATION,
        ids={"conversation_id": conversation_id},
        needs="access to the conversation's division",
    )
    return read_as(Conversation, http, call)


def read(http: Http, conversation_id: str) -> Interaction:
    """Return the conversation with all its messages in order, a live one without any."""
    conversation = read_conversation(http, conversation_id)
    messages = read_messages(http, conversation) if conversation.state == "completed" else ()
    return Interaction(id=conversation.id, state=conversation.state, messages=messages)


def read_messages(http: Http, conversation: Conversation) -> Sequence[Mapping[str, Any]]:
    """Return the messages in order; those of one bulk are answered in any."""
    ids = conversation.message_ids
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), BULK):
        found.update(_bulk(http, conversation.id, ids[start : start + BULK]))
    return [found[each] for each in ids]


def _bulk(http: Http, conversation_id: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return messages by id. Raises `OutcomeUnknown` where the API leaves out some of them."""
    call = Call(
        method="POST",
        route=f"{CONVERSATION}/messages/bulk",
        ids={"conversation_id": conversation_id},
        body=ids,
        needs="conversation:message:view or conversation:webmessaging:view",
    )
    answer = http.call(call)
    listed = parse(_Listing, http, call, answer).entities
    found = {str(message.get("id")): message for message in listed}
    if missing := len(set(ids) - set(found)):
        error = answers.unknown(http.endpoint.system, call, answer.status)
        error.note = f"{missing} of the messages asked for are missing"
        raise error
    return found
