"""The topics that a tenant listens to, one by one, and the shards that they are heard in.

There are no wildcards: each queue, contact and conversation is named in the tenant's settings, and
listened to as far as a rule is for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tasks.apis.notifications import MOST_TOPICS
from workers.bridge.judging.rules import RuleSet
from workers.bridge.reading.events import is_service_message
from workers.bridge.settings import BridgeSettings

QUEUE = ("v2.routing.queues.{id}.conversations.messages",)
CONTACT = ("v2.externalcontacts.contacts.{id}",)
CONVERSATION = (
    "v2.detail.events.conversation.{id}.attributes",
    "v2.detail.events.conversation.{id}.customer.end",
)


@dataclass(frozen=True, kw_only=True)
class Topics:
    """What is to be subscribed, and what the settings name in vain."""

    wanted: tuple[str, ...] = ()
    #: Topics that no rule is for, or that are the service's own.
    idle: tuple[str, ...] = ()


def topics_of(settings: BridgeSettings, rules: RuleSet) -> Topics:
    """Return the topics of a tenant.

    A topic that is named in full, or an id of whose topics not one has a rule, is told as idle.
    """
    wanted: dict[str, None] = {}
    idle: dict[str, None] = {}
    for named in _named(settings):
        served = [topic for topic in named if _is_served(topic, rules)]
        wanted.update(dict.fromkeys(served))
        if not served:
            idle.update(dict.fromkeys(named))
    return Topics(wanted=tuple(wanted), idle=tuple(idle))


def shards(topics: Collection[str], most: int = MOST_TOPICS) -> list[tuple[str, ...]]:
    """Divide topics among as few channels as can be, each with at most `most` of them.

    The first channels are full. One topic more or less moves at most one other topic from each
    channel to its neighbour.
    """
    ordered = sorted(set(topics))
    return [tuple(ordered[start : start + most]) for start in range(0, len(ordered), most)]


def _named(settings: BridgeSettings) -> Iterator[Sequence[str]]:
    """Yield the topics of each id, and each topic that is named in full."""
    by_kind = (
        (settings.queues, QUEUE),
        (settings.contacts, CONTACT),
        (settings.conversations, CONVERSATION),
    )
    for ids, templates in by_kind:
        for each in ids:
            yield [template.replace("{id}", each) for template in templates]
    yield from ([topic] for topic in settings.topics)


def _is_served(topic: str, rules: RuleSet) -> bool:
    ours = not is_service_message(topic)
    return ours and any(rule.enabled for rule, _ in rules.of(topic))
