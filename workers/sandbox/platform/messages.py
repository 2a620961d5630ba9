"""Message conversations: who took part, which messages there are, and their texts."""

from __future__ import annotations

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.platform.conversations import conversation
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.queries import flag
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.world import Document

PATH = "/api/v2/conversations/messages/{conversationId}"
VIEW = ("conversation:message:view", "conversation:webmessaging:view")
MOST_MESSAGES = 1_000
UNKNOWN = "conversation.error.conversation.not.found"
#: What `useNormalizedMessage` leaves out.
DEPRECATED = ("textBody", "media")
_IDS = Shape(list[str])
#: Fields that a participant of a message conversation shares with one of any other.
_SHARED = ("id", "name", "purpose", "startTime", "connectedTime", "endTime", "attributes")


def read_message_conversation(call: Call) -> Answer:
    """`GET /conversations/messages/{conversationId}`: participants with the ids of messages."""
    found = _message_conversation(call, UNKNOWN)
    participants = [_participant(each) for each in found["participants"] if each.get("messages")]
    uri = f"/api/v2/conversations/messages/{found['id']}"
    return Answer(body={"id": found["id"], "participants": participants, "selfUri": uri})


def read_message(call: Call) -> Answer:
    """`GET …/messages/{messageId}`: one message with its text."""
    message_id = call.path["messageId"]
    found = _transcript(call).get(message_id)
    if found is None:
        raise not_found("message", message_id)
    return Answer(body=_shown(call, found))


def read_messages(call: Call) -> Answer:
    """`POST …/messages/bulk` with a bare array of ids → `{entities}`, in an order of its own.

    Unknown ids are left out. Raises Refused (400) for more than a thousand.
    """
    asked = _IDS.read_list(call)
    if len(asked) > MOST_MESSAGES:
        raise bad_request(f"body: must hold at most {MOST_MESSAGES} ids", "constraint.validation")
    transcript = _transcript(call)
    found = [transcript[each] for each in sorted(set(asked)) if each in transcript]
    return Answer(body={"entities": [_shown(call, each) for each in found]})


def _message_conversation(call: Call, code: str = "not.found") -> Document:
    found = conversation(call, code)
    if not any(each.get("messages") for each in found["participants"]):
        raise not_found("conversation", found["id"], code)
    return found


def _participant(participant: Document) -> Document:
    communications = participant["messages"]
    last = communications[-1]
    shown: Document = {name: participant[name] for name in _SHARED if name in participant}
    shown |= {name: last[name] for name in ("state", "direction", "type") if name in last}
    shown["messages"] = [each for one in communications for each in one.get("messages", ())]
    for name, field in (("user", "userId"), ("externalContact", "externalContactId")):
        if field in participant:
            shown[name] = {"id": participant[field]}
    return shown


def _transcript(call: Call) -> dict[str, Document]:
    found = _message_conversation(call)
    transcript = call.organization.message_transcripts.get(found["id"], {})
    return {each["id"]: each for each in transcript.get("messages", ())}


def _shown(call: Call, message: Document) -> Document:
    left_out = DEPRECATED if flag(call, "useNormalizedMessage") else ()
    return {name: value for name, value in message.items() if name not in left_out}


ROUTES = (
    Route(method="GET", path=PATH, handle=read_message_conversation),
    Route(
        method="POST",
        path=f"{PATH}/messages/bulk",
        handle=read_messages,
        any_of=VIEW,
        query=frozenset({"useNormalizedMessage"}),
    ),
    Route(
        method="GET",
        path=f"{PATH}/messages/{{messageId}}",
        handle=read_message,
        any_of=VIEW,
        query=frozenset({"useNormalizedMessage"}),
    ),
)
