"""Topics without their ids, to be counted by: there are many topics, and few templates."""

from __future__ import annotations

from collections.abc import Iterable

from workers.bridge.judging.patterns import Patterns, template

#: What a topic counts as that is of no known template.
OTHER = "other"

_CONVERSATION = "v2.detail.events.conversation.{id}"
_DETAILS = (
    "acd.end",
    "acd.start",
    "acw",
    "attributes",
    "contact",
    "customer.end",
    "customer.start",
    "flow.end",
    "flow.outcome",
    "flow.start",
    "outbound",
    "user.end",
    "user.start",
    "voicemail.end",
    "voicemail.start",
    "wrapup",
)

#: Templates that an organisation is likely to send here, whether or not a rule wants them.
KNOWN = (
    *(f"{_CONVERSATION}.{detail}" for detail in _DETAILS),
    "v2.analytics.queues.{id}.observations",
    "v2.audits.entitytype.{id}.entityid.{id}",
    "v2.conversations.messages.{id}",
    "v2.externalcontacts.contacts.{id}",
    "v2.routing.queues.{id}.conversations",
    "v2.routing.queues.{id}.conversations.calls",
    "v2.routing.queues.{id}.conversations.callbacks",
    "v2.routing.queues.{id}.conversations.chats",
    "v2.routing.queues.{id}.conversations.emails",
    "v2.routing.queues.{id}.conversations.messages",
    "v2.routing.queues.{id}.users",
    "v2.users.{id}.activity",
    "v2.users.{id}.conversations",
    "v2.users.{id}.conversations.messages",
    "v2.users.{id}.presence",
    "v2.users.{id}.routingstatus",
)


class Templates:
    """The known templates, and those of `patterns`, whatever these call their ids."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        known = dict.fromkeys((*KNOWN, *map(template, patterns)))
        self._known = Patterns((each, each) for each in known)

    def of(self, topic: str) -> str:
        """Return the template of `topic`, with `{id}` in the place of its ids, or `OTHER`."""
        return next((found for found, _ in self._known.of(topic)), OTHER)
