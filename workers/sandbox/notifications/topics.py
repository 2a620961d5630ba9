"""What may be subscribed: the topics that the sandbox knows, and what each of them asks for.

Names are the vendor's; the permissions stand for those that the vendor asks for [?].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CONTACT = "v2.externalcontacts.contacts.{id}"
QUEUE_MESSAGES = "v2.routing.queues.{id}.conversations.messages"
ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
CUSTOMER_END = "v2.detail.events.conversation.{id}.customer.end"
#: Heard without a subscription, and never to be subscribed.
METADATA = "channel.metadata"
SYSTEM = "v2.system."

_DETAIL = ("analytics:conversationDetail:view",)
_ID = r"[\w-]+"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A template with `{id}` in it, who may hear of it, and over which transports."""

    template: str
    description: str
    permissions: tuple[str, ...]
    transport: Literal["All", "EventBridge"] = "All"
    #: Whether the permissions must reach the division of the object that is named.
    divisioned: bool = False
    #: Where the object can be read.
    paths: tuple[str, ...] = ()

    def object_id(self, topic: str) -> str | None:
        """The id that `topic` names, None where it is of another template."""
        before, _, after = self.template.partition("{id}")
        pattern = f"{re.escape(before)}({_ID}){re.escape(after).replace(_BRACED, _ID)}"
        found = re.fullmatch(pattern, topic, re.ASCII)
        return found[1] if found else None


_BRACED = re.escape("{id}")
_CONVERSATION = "/api/v2/conversations/{conversationId}"
_TOPICS = (
    Topic(
        template=CONTACT,
        description="An external contact has changed, or was merged",
        permissions=("externalContacts:contact:view",),
        divisioned=True,
        paths=("/api/v2/externalcontacts/contacts/{contactId}",),
    ),
    Topic(
        template=QUEUE_MESSAGES,
        description="A message conversation of a queue has changed",
        permissions=("conversation:communication:view",),
        paths=("/api/v2/conversations/messages/{conversationId}",),
    ),
    Topic(
        template=ATTRIBUTES,
        description="Attributes of a participant have changed",
        permissions=_DETAIL,
        paths=(_CONVERSATION,),
    ),
    Topic(
        template=CUSTOMER_END,
        description="A customer has left a conversation",
        permissions=_DETAIL,
        paths=(_CONVERSATION,),
    ),
    Topic(
        template="v2.audits.entitytype.{id}.entityid.{id}",
        description="An entity was changed by somebody",
        permissions=("audits:audit:view",),
        transport="EventBridge",
    ),
)
TOPICS: Mapping[str, Topic] = {topic.template: topic for topic in _TOPICS}


def find(topic: str) -> Topic | None:
    """The known topic that `topic` is one of; None for a wildcard, a template or a stranger."""
    return next((each for each in _TOPICS if each.object_id(topic) is not None), None)


def is_reserved(topic: str) -> bool:
    """Whether a topic is the service's own."""
    return topic == METADATA or topic.startswith(SYSTEM)
