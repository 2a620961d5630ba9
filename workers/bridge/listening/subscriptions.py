"""What a channel listens to: topics one by one, so that a bad one never silences the others.

A topic that is not permitted is rejected alone. One that does not exist may have all of them
refused, and the service does not say which it is: that is found out by asking for fewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tasks.apis.notifications import AvailableTopic, TopicState, is_about_a_topic
from tasks.errors import ApiError
from workers.bridge.listening.asking import Ask
from workers.bridge.watching.metrics import BridgeMetrics
from workers.watching.telemetry import log, mask


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """What came of the topics that a channel was to listen to.

    `refused` are those that no other topic may be asked for with.
    """

    states: tuple[TopicState, ...] = ()
    refused: tuple[TopicState, ...] = ()

    @property
    def permitted(self) -> tuple[str, ...]:
        return tuple(each.topic for each in self.states if each.permitted)

    @property
    def rejected(self) -> tuple[TopicState, ...]:
        return tuple(each for each in (*self.states, *self.refused) if not each.permitted)


async def subscribe(ask: Ask, channel_id: str, topics: Sequence[str]) -> Subscriptions:
    """Let a channel that nobody is connected to listen to `topics`, as far as it may.

    Raises what `ask` raises, `NotFound` where the channel is gone.
    """
    try:
        return Subscriptions(states=await _put(ask, channel_id, topics))
    except ApiError as error:
        if not is_about_a_topic(error):
            raise
    known, strange = divide(topics, await _available(ask))
    refused = [each for some in (known, strange) for each in await _refused(ask, channel_id, some)]
    return await renew(ask, channel_id, topics, refused)


async def renew(
    ask: Ask, channel_id: str, topics: Sequence[str], refused: Sequence[TopicState]
) -> Subscriptions:
    """Let a channel live on, and listen to those of `topics` that were not `refused`."""
    bad = {each.topic for each in refused}
    rest = [each for each in topics if each not in bad]
    states = await _put(ask, channel_id, rest) if rest else ()
    return Subscriptions(states=states, refused=tuple(refused))


async def _put(ask: Ask, channel_id: str, topics: Sequence[str]) -> tuple[TopicState, ...]:
    return tuple(await ask(lambda service: service.subscribe(channel_id, topics)))


async def _available(ask: Ask) -> Sequence[AvailableTopic]:
    """Return the topics there are, none where the service does not tell them: it is a hint only."""
    try:
        return await ask(lambda service: service.available_topics())
    except ApiError:
        return ()


async def _refused(ask: Ask, channel_id: str, topics: Sequence[str]) -> list[TopicState]:
    """Return those of `topics` that have others refused, by asking for halves, and halves of them.

    The channel listens to some of them meanwhile.
    """
    if not topics:
        return []
    try:
        await _put(ask, channel_id, topics)
    except ApiError as error:
        if not is_about_a_topic(error):
            raise
        if len(topics) == 1:
            return [TopicState(topic=topics[0], permitted=False, reason=error.code)]
    else:
        return []
    middle = len(topics) // 2
    first = await _refused(ask, channel_id, topics[:middle])
    return first + await _refused(ask, channel_id, topics[middle:])


def divide(
    topics: Iterable[str], available: Iterable[AvailableTopic]
) -> tuple[list[str], list[str]]:
    """Divide topics into those of a kind that channels may listen to, and others."""
    kinds = [_pattern(each.template) for each in available if each.by_channel]
    known: list[str] = []
    strange: list[str] = []
    for topic in topics:
        fits = any(kind.fullmatch(topic) for kind in kinds)
        (known if fits else strange).append(topic)
    return known, strange


def _pattern(template: str) -> re.Pattern[str]:
    """Return what topics of a template look like; ids are whatever has no dot, star or brace."""
    return re.compile("[^.*{}]+".join(map(re.escape, re.split(r"\{\w+\}", template))))


@dataclass(frozen=True, kw_only=True)
class Rejections:
    """The topics of a tenant that nobody hears, by shard: counted, and each told once."""

    tenant: str
    metrics: BridgeMetrics
    _by_shard: dict[str, frozenset[str]] = field(default_factory=dict)

    def note(self, shard: str, subscriptions: Subscriptions) -> None:
        """Count, and tell, what a shard's channel may not listen to, and what it may now."""
        before = self._by_shard.get(shard, frozenset())
        for each in subscriptions.rejected:
            if each.topic not in before:
                log.warning(
                    "bridge.topic_rejected",
                    tenant=self.tenant,
                    topic=each.topic,
                    reason=mask(each.reason),
                    missing=list(each.missing),
                )
        for topic in sorted(before.intersection(subscriptions.permitted)):
            log.info("bridge.topic_permitted", tenant=self.tenant, topic=topic)
        self._by_shard[shard] = frozenset(each.topic for each in subscriptions.rejected)
        self.metrics.rejected_topics(self.tenant, self.count)

    @property
    def count(self) -> int:
        return sum(map(len, self._by_shard.values()))

    def clear(self) -> None:
        """Count none: nobody listens here any more."""
        self._by_shard.clear()
        self.metrics.rejected_topics(self.tenant, 0)
