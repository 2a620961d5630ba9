"""What a channel listens to: topics one by one, each known and permitted."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

# Before Python 3.12 pydantic cannot read those of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.faults import RefuseTopics
from workers.sandbox.notifications import topics
from workers.sandbox.notifications.channels import MOST_TOPICS, Channel
from workers.sandbox.notifications.topics import Topic
from workers.sandbox.platform.channels import channel
from workers.sandbox.platform.queries import flag
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.world import Document


class ChannelTopic(TypedDict, total=False):
    """A topic as a client names it, and gets it back; all but `id` is ignored."""

    id: str
    state: Any
    rejectionReason: Any
    missingPermissions: Any
    selfUri: Any


_TOPICS = Shape(list[ChannelTopic])


def list_subscriptions(call: Call) -> Answer:
    """`GET …/subscriptions` → `{entities[{id}]}`."""
    return Answer(body={"entities": [{"id": each} for each in channel(call).topics]})


def add_subscriptions(call: Call) -> Answer:
    """`POST …/subscriptions` with a bare array of `{id}`: listens to these topics too."""
    held = channel(call)
    return _subscribe(call, held, dict(held.topics))


def replace_subscriptions(call: Call) -> Answer:
    """`PUT …/subscriptions` with a bare array of `{id}`: listens to these topics alone."""
    return _subscribe(call, channel(call, "entity.not.found"), {})


def remove_subscriptions(call: Call) -> Answer:
    """`DELETE …/subscriptions`: listens to nothing."""
    held = channel(call)
    held.topics = {}
    call.effect("subscriptions.set", held.id, topics=0)
    return Answer(status=204)


def _subscribe(call: Call, held: Channel, kept: dict[str, None]) -> Answer:
    """Keep what is permitted of the topics asked for and let the channel live as long as ever.

    Answers each of them with its `state`. Raises Refused for the first topic that is not known
    (400) or, unless `ignoreErrors`, not permitted (403), and for too many (400): the channel then
    listens to what it did.
    """
    asked = list(dict.fromkeys(each.get("id", "") for each in _TOPICS.read_list(call)))
    lenient = flag(call, "ignoreErrors")
    entities = [_judged(call, each, lenient) for each in asked]
    permitted = [each["id"] for each in entities if each["state"] == "Permitted"]
    subscribed = {**kept, **dict.fromkeys(permitted)}
    if len(subscribed) > MOST_TOPICS:
        code = "notification.subscription.too.many.subscriptions"
        raise bad_request("Too many subscriptions", code)
    held.topics, held.used = subscribed, call.now
    held.expires = call.now + call.options.channel_seconds
    rejected = len(entities) - len(permitted)
    call.effect("subscriptions.set", held.id, topics=len(subscribed), rejected=rejected)
    return Answer(body={"entities": entities})


def _judged(call: Call, asked: str, lenient: bool) -> Document:
    known = _known(call, asked, lenient)
    if isinstance(known, Refused):
        return {"id": asked, "state": "Rejected", "rejectionReason": known.message}
    refusal, missing = _forbidden(call, known, asked)
    if refusal is None:
        return {"id": asked, "state": "Permitted"}
    if not lenient:
        raise refusal
    reason = {"rejectionReason": refusal.message, "missingPermissions": missing}
    return {"id": asked, "state": "Rejected", **reason}


def _known(call: Call, asked: str, lenient: bool) -> Topic | Refused:
    """The topic, or why it cannot be one where that may be told of it alone. Raises Refused."""
    known = topics.find(asked)
    if known is not None and known.transport == "All":
        return known
    refusal = _unfit(call, asked, known)
    if lenient and call.options.unknown_topics == "reject":
        return refusal
    raise refusal


def _unfit(call: Call, asked: str, known: Topic | None) -> Refused:
    replacing = call.route.method == "PUT"
    if topics.is_reserved(asked) and replacing:
        return Refused(403, "notification.forbidden.topic", f"Topic {asked} is forbidden")
    if known is not None and not replacing:
        message = f"unable to subscribe {asked}, transport type not permitted."
        return bad_request(message, "notification.transport.not.allowed")
    message = f"The subscription topic {asked} is not valid."
    return bad_request(message, "notification.invalid.topic")


def _forbidden(call: Call, topic: Topic, asked: str) -> tuple[Refused | None, list[str]]:
    """Why the client may not listen to a topic, if so, and which permissions it lacks."""
    held = call.permissions
    missing = [each for each in topic.permissions if held is not None and each not in held]
    refusals = (each for each in call.faults if isinstance(each, RefuseTopics))
    if any(fnmatchcase(asked, each.topics) for each in refusals):
        missing = missing or list(topic.permissions)
    if missing:
        message = f"Not authorized for this topic. Missing permissions: {', '.join(missing)}"
        return Refused(403, "notification.unauthorized.topic", message), missing
    if topic.divisioned and not _reached(call, topic.object_id(asked) or ""):
        code = "notification.unauthorized.divisioned.topic"
        refusal = Refused(403, code, "No divisioned permissions for this topic.")
        return refusal, list(topic.permissions)
    return None, []


def _reached(call: Call, contact_id: str) -> bool:
    contact = call.organization.external_contacts.get(contact_id)
    return call.divisions is None or contact is None or contact["division"]["id"] in call.divisions


_PATH = "/api/v2/notifications/channels/{channelId}/subscriptions"
_LENIENT = frozenset({"ignoreErrors"})
ROUTES = (
    Route(method="GET", path=_PATH, handle=list_subscriptions),
    Route(method="POST", path=_PATH, handle=add_subscriptions, query=_LENIENT),
    Route(method="PUT", path=_PATH, handle=replace_subscriptions, query=_LENIENT),
    Route(method="DELETE", path=_PATH, handle=remove_subscriptions),
)
